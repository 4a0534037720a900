//! A witness: whoever keeps the newest head that it saw of each log, and asks to be shown that the log goes on from there.
//!
//! A gate whose record was cut, rewritten or replaced cannot show that. Proxies and browsers are witnesses by themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::hash::TreeHash;
use crate::log::Trust;
use crate::note::VerifierKey;
use crate::receipt::{Proved, Receipt, ReceiptError};
use crate::tree::{empty_root, verify_consistency};

/// What was seen of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The keys that heads were said to be signed by, when the first head was seen and since.
    keys: Vec<String>,
    /// The newest head of each log, a signed note.
    heads: BTreeMap<String, String>,
}

/// What a gate shows of a log: its newest head, and that what was seen is its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Which log.
    pub log: &'a str,
    /// The newest head, a signed note.
    pub note: &'a str,
    /// The consistency proof from the head that was seen, each hash in base64.
    pub proof: &'a [String],
    /// The keys that the gate says its heads are signed by.
    pub keys: &'a [String],
}

/// How a log stands to what was seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on from there.
    Continues,
    /// It does not: it was cut, rewritten or replaced, or what is shown shows nothing.
    Broken,
}

impl Seen {
    /// The keys that heads were said to be signed by.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// How many records of a log the head that was seen is for, so that the gate can show that it goes on from there.
    pub fn held(&self, log: &str) -> u64 {
        self.head(log).map_or(0, |head| head.size)
    }

    /// Whether the keys name another gate's log than the one that was seen.
    pub fn is_of_another(&self, keys: &[String]) -> bool {
        let name = |key: &String| key.split('+').next().unwrap_or_default().to_owned();
        !self.keys.is_empty() && !keys.iter().any(|key| self.keys.iter().any(|known| name(known) == name(key)))
    }

    /// What a receipt proves under the very head that was seen: its signature is one of the keys that were, and its head
    /// the one that is held.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn proves(&self, receipt: &Receipt) -> Result<Proved, ReceiptError> {
        let keys = self.keys.iter().filter_map(|key| key.parse().ok()).collect();
        let proved = receipt.verify(&Trust { keys, complete: false })?;
        let held = self.head(&proved.leaf.log);
        let is_it = held.as_ref().is_some_and(|held| {
            (&held.origin, held.size, held.root)
                == (&proved.checkpoint.origin, proved.checkpoint.size, proved.checkpoint.root)
        });
        // Another signed head proves that a record is in some log that the gate signed, not in the one that was seen.
        if is_it { Ok(proved) } else { Err(ReceiptError::OtherHead(held.map_or(0, |held| held.size))) }
    }

    /// Holds what a gate shows against what was seen, and keeps the newer head.
    ///
    /// A gate may tell of more keys, since keys are rotated: what was signed by those before still has to go on.
    pub fn look(&mut self, shown: Shown<'_>) -> Verdict {
        let fresh: Vec<String> = shown.keys.iter().filter(|key| !self.keys.contains(key)).cloned().collect();
        let keys: Vec<VerifierKey> = self.keys.iter().chain(&fresh).filter_map(|key| key.parse().ok()).collect();
        let Ok(newest) = (Trust { keys, complete: false }).open(shown.log, shown.note) else { return Verdict::Broken };
        let before = self.head(shown.log);
        let same_log = before.as_ref().is_none_or(|before| before.origin == newest.origin);
        let (size, root) = before.map_or_else(|| (0, empty_root()), |before| (before.size, before.root));
        let proof: Option<Vec<TreeHash>> = shown.proof.iter().map(|hash| TreeHash::from_base64(hash)).collect();
        let goes_on =
            proof.is_some_and(|proof| verify_consistency((size, &root), (newest.size, &newest.root), &proof).is_ok());
        if !same_log || !goes_on || self.is_of_another(shown.keys) {
            return Verdict::Broken;
        }
        self.keys.extend(fresh);
        self.heads.insert(shown.log.to_owned(), shown.note.to_owned());
        Verdict::Continues
    }

    fn head(&self, log: &str) -> Option<Checkpoint> {
        // It was believed when it was kept; only what it says counts now.
        let (text, _) = self.heads.get(log)?.split_once("\n\n")?;
        format!("{text}\n").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::Opened;
    use crate::source::Entry;
    use crate::testing::{Record, story};
    use crate::tree::{Tree, leaf_hash};

    /// A record that grows, with what its gate shows.
    struct Gate {
        record: Record,
        tree: Tree,
        note: String,
        keys: Vec<String>,
    }

    impl Gate {
        fn new(seed: u8, events: usize) -> Self {
            let record = Record::new(seed);
            let keys = vec![record.verifier().to_string()];
            let mut gate = Self { record, tree: Tree::default(), note: String::new(), keys };
            gate.grow(0, events);
            gate
        }

        fn grow(&mut self, from: usize, to: usize) {
            for (kind, event) in &story()[from..to] {
                let bytes = self.record.event(kind, event);
                self.tree.append(leaf_hash(&bytes));
            }
            self.note = self.record.head();
        }

        /// The receipt of a record, under this gate's newest head.
        fn receipt(&self, seq: u64) -> Receipt {
            let entries = self.record.entries.borrow();
            let leaf = entries.iter().find_map(|entry| match entry {
                Entry::Record(stored) if stored.seq == seq => Some(stored.bytes.clone()),
                _ => None,
            });
            let opened = Opened { leaf: String::from_utf8(leaf.unwrap()).unwrap(), payloads: BTreeMap::new() };
            let proof = self.tree.inclusion(seq, self.tree.size()).unwrap();
            Receipt { opened, index: seq, proof, note: self.note.clone() }
        }

        fn show(&self, seen: &mut Seen) -> Verdict {
            let proof = self.tree.consistency(seen.held("ledger"), self.tree.size()).unwrap_or_default();
            let proof: Vec<String> = proof.iter().map(TreeHash::to_base64).collect();
            seen.look(Shown { log: "ledger", note: &self.note, proof: &proof, keys: &self.keys })
        }
    }

    #[test]
    fn a_log_that_grows_is_followed_and_one_that_shrinks_or_differs_is_not() {
        let mut seen = Seen::default();
        let mut gate = Gate::new(1, 3);
        assert_eq!((gate.show(&mut seen), seen.held("ledger")), (Verdict::Continues, 3));
        assert_eq!(gate.show(&mut seen), Verdict::Continues, "the same again");
        gate.grow(3, 6);
        assert_eq!((gate.show(&mut seen), seen.held("ledger")), (Verdict::Continues, 6));
        // A restored copy, and one that went on another way.
        let before = seen.clone();
        assert_eq!(Gate::new(1, 5).show(&mut seen), Verdict::Broken);
        let mut other = Gate::new(1, 5);
        other.grow(6, 8);
        assert_eq!(other.show(&mut seen), Verdict::Broken);
        assert_eq!(seen, before, "what was seen stays");
        gate.grow(6, 9);
        assert_eq!(gate.show(&mut seen), Verdict::Continues);
    }

    #[test]
    fn another_gate_another_key_and_no_signature_show_nothing() {
        let mut seen = Seen::default();
        let gate = Gate::new(1, 3);
        assert_eq!(gate.show(&mut seen), Verdict::Continues);
        // The same record, signed by who brings a key of their own under the same name: the tree goes on, and the key is
        // kept beside the first. A head that nobody signed is none.
        let unsigned = Gate { keys: Vec::new(), ..Gate::new(2, 5) };
        assert_eq!(unsigned.show(&mut seen), Verdict::Broken);
        let renamed = vec!["example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".to_owned()];
        assert!(seen.is_of_another(&renamed) && !seen.is_of_another(&gate.keys));
        let elsewhere = Gate { keys: renamed, ..Gate::new(1, 5) };
        assert_eq!(elsewhere.show(&mut seen), Verdict::Broken);
    }

    #[test]
    fn a_receipt_proves_its_record_under_the_head_that_is_held_and_under_no_other() {
        let (mut seen, mut gate) = (Seen::default(), Gate::new(1, 3));
        assert_eq!(gate.show(&mut seen), Verdict::Continues);
        let receipt = gate.receipt(1);
        assert_eq!(seen.proves(&receipt).map(|proved| (proved.leaf.seq, proved.checkpoint.size)), Ok((1, 3)));
        assert!(matches!(Seen::default().proves(&receipt), Err(ReceiptError::Head(_))), "nobody's key is known yet");
        // A newer head of the same log, well signed: only what is held counts, until it is shown to go on from there.
        gate.grow(3, 6);
        let newer = gate.receipt(1);
        assert_eq!(seen.proves(&newer), Err(ReceiptError::OtherHead(3)));
        assert_eq!(gate.show(&mut seen), Verdict::Continues);
        assert!(seen.proves(&newer).is_ok());
        assert_eq!(seen.proves(&receipt), Err(ReceiptError::OtherHead(6)));
        // As many records, signed by the same key, of another history.
        let mut fork = Gate::new(1, 5);
        fork.grow(6, 7);
        assert_eq!(seen.proves(&fork.receipt(1)), Err(ReceiptError::OtherHead(6)));
    }

    #[test]
    fn what_was_seen_is_kept_as_json() {
        let mut seen = Seen::default();
        Gate::new(1, 3).show(&mut seen);
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Seen>(&text).unwrap(), seen);
    }
}
