//! Taking payloads out for good: the row keeps its place, its bytes and its salt go.

use audit_verify::erasure::Erased;
use rusqlite::{Transaction, params};

use super::schema::database;
use crate::store::types::StoreError;

/// Whether all of these payloads are there.
pub(super) fn all_there(transaction: &Transaction<'_>, erased: &[Erased]) -> Result<bool, StoreError> {
    let mut count = transaction
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE length(salt) > 0) FROM payload
             WHERE log = ?1 AND name = ?2 AND seq BETWEEN ?3 AND ?4",
        )
        .map_err(database)?;
    for Erased { log, name, ranges, payloads } in erased {
        let mut found = 0;
        for (first, last) in ranges {
            let (first, last) = (number(*first)?, number(*last)?);
            let (all, there): (i64, i64) = count
                .query_row(params![log, name, first, last], |row| Ok((row.get(0)?, row.get(1)?)))
                .map_err(database)?;
            if all != there {
                return Ok(false);
            }
            found += all;
        }
        if u64::try_from(found).ok() != Some(*payloads) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes them out.
pub(super) fn erase(transaction: &Transaction<'_>, erased: &[Erased]) -> Result<(), StoreError> {
    let mut update = transaction
        .prepare_cached(
            "UPDATE payload SET salt = x'', bytes = x'' WHERE log = ?1 AND name = ?2 AND seq BETWEEN ?3 AND ?4",
        )
        .map_err(database)?;
    for Erased { log, name, ranges, .. } in erased {
        for (first, last) in ranges {
            update.execute(params![log, name, number(*first)?, number(*last)?]).map_err(database)?;
        }
    }
    Ok(())
}

fn number(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|_| StoreError::Database("no log has so many records".to_owned()))
}
