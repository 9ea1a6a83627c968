//! Days and times, as fields.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use helpdesk_core::Problem;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat};

use super::types::{format, string, text};
use super::{Field, Raw};

/// A date, or an instant, in ISO 8601, with an offset or without. A date stands for a whole day by the clocks of whoever
/// is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
    /// A day and a time by the clocks of whoever is asked.
    Clock(NaiveDateTime),
}

impl Field for NaiveDate {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let wrong = || vec![Problem::Format("date; use YYYY-MM-DD")];
        let text = text(raw)?;
        // chrono also takes years of other lengths, which no client means.
        if text.len() != 10 {
            return Err(wrong());
        }
        text.parse().map_err(|_| wrong())
    }

    fn schema() -> RefOr<Schema> {
        string(None, None).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).into()
    }
}

impl Field for Moment {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let text = text(raw)?;
        let text = text.trim();
        if text.len() == 10
            && let Ok(day) = text.parse()
        {
            return Ok(Self::Day(day));
        }
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"].into_iter();
        if let Some(local) = local.filter_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).next() {
            return Ok(Self::Clock(local));
        }
        // A `+` that was not encoded arrives in a query as a space.
        let text = text.replace(' ', "+");
        let whole = DateTime::parse_from_rfc3339(&text);
        let instant = whole.or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M%#z"));
        let instant = instant.map(|instant| Self::Instant(instant.to_utc()));
        instant.map_err(|_| vec![Problem::Format("date; use ISO 8601")])
    }

    fn schema() -> RefOr<Schema> {
        format("date-time")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn json<T: Field>(value: Value) -> Result<T, Vec<Problem>> {
        T::read(Raw::Json(value))
    }

    #[test]
    fn dates_have_one_form() {
        assert_eq!(json(json!("2023-12-25")), Ok(NaiveDate::from_ymd_opt(2023, 12, 25).expect("a date")));
        for wrong in ["25/12/2023", "2023-13-01", "2023-02-30", "+2023-1-1", "2023-12-25T00:00:00Z", ""] {
            assert!(json::<NaiveDate>(json!(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_days_instants_and_times_of_a_clock() {
        let noon = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").expect("a time");
        let day = NaiveDate::from_ymd_opt(2026, 2, 1).expect("a date");
        assert_eq!(json(json!("2026-02-01")), Ok(Moment::Day(day)));
        let twelve = Moment::Instant("2026-02-01T12:00:00Z".parse().expect("an instant"));
        for instant in [
            "2026-02-01T12:00:00Z",
            "2026-02-01T12:00Z",
            "2026-02-01T13:00:00 01:00",
            "2026-02-01T13:00+01:00",
            "2026-02-01T12:00:00.000Z",
        ] {
            assert_eq!(json(json!(instant)), Ok(twelve), "{instant}");
        }
        for local in ["2026-02-01T12:00:00", "2026-02-01T12:00", "2026-02-01T12:00:00.000"] {
            assert_eq!(json(json!(local)), Ok(Moment::Clock(noon("2026-02-01T12:00:00"))), "{local}");
        }
        for wrong in ["", "yesterday", "2026-02-30", "2026-02-01T25:00", "2026-02-01T12", "02/01/2026"] {
            assert!(json::<Moment>(json!(wrong)).is_err(), "{wrong}");
        }
    }
}
