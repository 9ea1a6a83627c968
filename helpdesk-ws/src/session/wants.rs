//! What a client wants to be told of.

use std::collections::BTreeSet;

use uuid::Uuid;

/// How many tickets a client may name.
const MAX_TICKETS: usize = 1_000;

/// A part of all that somebody may see: names of events, and tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wants {
    /// The bits of the names.
    names: u32,
    /// The tickets; all where none are named.
    tickets: Option<BTreeSet<Uuid>>,
}

impl Default for Wants {
    /// Everything.
    fn default() -> Self {
        Self { names: u32::MAX, tickets: None }
    }
}

impl Wants {
    /// Whether something is wanted that goes by a name. What is about no ticket is wanted whichever tickets are.
    pub(super) fn has(&self, name: u32, about: Option<Uuid>) -> bool {
        let of_ticket = |ticket| self.tickets.as_ref().is_none_or(|tickets| tickets.contains(&ticket));
        self.names & name != 0 && about.is_none_or(of_ticket)
    }

    /// These as well. Who wanted everything until now wants these alone.
    pub(super) fn subscribe(
        &mut self,
        known: &[&'static str],
        events: Option<&[String]>,
        tickets: Option<&[Uuid]>,
    ) -> Result<(), String> {
        if events.is_none() && tickets.is_none() {
            *self = Self::default();
            return Ok(());
        }
        let names = events.map(|events| bits(known, events)).transpose()?;
        if let Some(more) = tickets {
            let mut all = self.tickets.clone().unwrap_or_default();
            all.extend(more);
            if all.len() > MAX_TICKETS {
                return Err(format!("There may be no more than {MAX_TICKETS} tickets."));
            }
            self.tickets = Some(all);
        }
        if let Some(names) = names {
            self.names = if self.names == u32::MAX { names } else { self.names | names };
        }
        Ok(())
    }

    /// These no more.
    pub(super) fn unsubscribe(
        &mut self,
        known: &[&'static str],
        events: Option<&[String]>,
        tickets: Option<&[Uuid]>,
    ) -> Result<(), String> {
        if events.is_none() && tickets.is_none() {
            self.names = 0;
            return Ok(());
        }
        let names = events.map(|events| bits(known, events)).transpose()?;
        if let Some(less) = tickets {
            let Some(all) = &mut self.tickets else {
                return Err("No tickets are named yet; all are told of.".to_owned());
            };
            for ticket in less {
                all.remove(ticket);
            }
        }
        if let Some(names) = names {
            self.names &= !names;
        }
        Ok(())
    }

    /// The names that are wanted.
    pub(super) fn names(&self, known: &[&'static str]) -> Vec<&'static str> {
        let wanted = known.iter().enumerate().filter(|(place, _)| self.names >> place & 1 == 1);
        wanted.map(|(_, name)| *name).collect()
    }

    /// The tickets that are wanted, where they are not all.
    pub(super) fn tickets(&self) -> Option<Vec<Uuid>> {
        self.tickets.as_ref().map(|tickets| tickets.iter().copied().collect())
    }
}

/// The bits of names.
fn bits(known: &[&'static str], names: &[String]) -> Result<u32, String> {
    names.iter().try_fold(0, |bits, name| match known.iter().position(|other| other == name) {
        Some(place) => Ok(bits | 1 << place),
        None => Err(format!("There is no such event. Choose of: {}.", known.join(", "))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["a", "b", "c"];

    fn names(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn who_names_events_wants_no_others() {
        let mut wants = Wants::default();
        assert!(wants.has(4, None));
        assert_eq!(wants.subscribe(&KNOWN, names(&["a"]).as_deref(), None), Ok(()));
        assert_eq!(wants.names(&KNOWN), ["a"]);
        assert_eq!(wants.subscribe(&KNOWN, names(&["c"]).as_deref(), None), Ok(()));
        assert_eq!(wants.names(&KNOWN), ["a", "c"]);
        assert_eq!(wants.unsubscribe(&KNOWN, names(&["a"]).as_deref(), None), Ok(()));
        assert!(wants.has(4, None) && !wants.has(1, None) && !wants.has(2, None));
        assert_eq!(wants.subscribe(&KNOWN, None, None), Ok(()));
        assert_eq!(wants, Wants::default());
        assert_eq!(wants.unsubscribe(&KNOWN, None, None), Ok(()));
        assert!(wants.names(&KNOWN).is_empty());
    }

    #[test]
    fn who_names_tickets_is_told_of_no_others() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut wants = Wants::default();
        assert!(wants.unsubscribe(&KNOWN, None, Some(&[one])).is_err());
        assert_eq!(wants.subscribe(&KNOWN, None, Some(&[one, two])), Ok(()));
        assert_eq!(wants.unsubscribe(&KNOWN, None, Some(&[one])), Ok(()));
        assert!(wants.has(1, Some(two)) && !wants.has(1, Some(one)) && wants.has(1, None));
        assert_eq!(wants.tickets(), Some(vec![two]));
    }

    #[test]
    fn what_is_unknown_or_too_much_changes_nothing() {
        let mut wants = Wants::default();
        assert!(wants.subscribe(&KNOWN, names(&["a", "x"]).as_deref(), Some(&[Uuid::nil()])).is_err());
        let many: Vec<_> = (0..=MAX_TICKETS as u128).map(Uuid::from_u128).collect();
        assert!(wants.subscribe(&KNOWN, None, Some(&many)).is_err());
        assert_eq!(wants, Wants::default());
    }
}
