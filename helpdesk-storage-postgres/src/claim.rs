//! Handing out jobs.

use helpdesk_core::storage::{Claim, Claimed, JOB, Lease, StorageError};
use sqlx::Row as _;
use uuid::Uuid;

use crate::args::{Args, scope};
use crate::commit::micros;
use crate::errors::failed;
use crate::pool::Pool;
use crate::tables::Tables;

/// Claims jobs that are ready, passing over those that somebody else is just claiming or changing.
pub(crate) async fn claim(pool: &Pool, tables: &Tables, claim: &Claim) -> Result<Vec<Claimed>, StorageError> {
    let name = &tables.of(&JOB)?.name;
    let sql = format!(
        "WITH due AS MATERIALIZED (
             SELECT organisation, id, ready FROM {name} WHERE ready <= $1
             ORDER BY ready, organisation, id LIMIT $2 FOR UPDATE SKIP LOCKED)
         UPDATE {name} AS t SET version = t.version + 1, updated_at = $1, \"state\" = 'leased', token = $3,
             lease_until = $4, ready = $4, \"attempts\" = t.\"attempts\" + 1
         FROM due WHERE t.organisation = due.organisation AND t.id = due.id
         RETURNING due.ready, t.organisation, t.id, t.\"key\", t.\"name\", t.payload, t.\"due\", t.\"attempts\""
    );
    let (now, until) = (micros(claim.now), micros(claim.now + claim.lease));
    let mut args = Args::default();
    args.bind(now);
    args.bind(i64::try_from(claim.limit).unwrap_or(i64::MAX));
    args.bind(claim.token);
    args.bind(until);
    let mut rows = pool
        .all(sql, args)
        .await
        .map_err(failed)?
        .into_iter()
        .map(|row| {
            let ready: chrono::DateTime<chrono::Utc> = row.try_get(0)?;
            let (organisation, id): (Uuid, Uuid) = (row.try_get(1)?, row.try_get(2)?);
            let (payload, attempt): (String, i64) = (row.try_get(5)?, row.try_get(7)?);
            let claimed = Claimed {
                lease: Lease { scope: scope(organisation), job: id, token: claim.token },
                key: row.try_get(3)?,
                name: row.try_get(4)?,
                payload: payload.into(),
                due: row.try_get(6)?,
                attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            };
            Ok((ready, organisation, id, claimed))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()
        .map_err(failed)?;
    rows.sort_by_key(|(ready, organisation, id, _)| (*ready, *organisation, *id));
    Ok(rows.into_iter().map(|(.., claimed)| claimed).collect())
}
