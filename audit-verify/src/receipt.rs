//! Receipts (C2SP tlog-proof): that one record is in a log, told by a file that needs no server.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::fault::FaultKind;
use crate::hash::TreeHash;
use crate::leaf::Leaf;
use crate::log::Trust;
use crate::tree::{ProofError, leaf_hash, verify_inclusion};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the record is: the file's `extra`. Believed only as far as it hashes to what the proof is for.
    pub opened: Opened,
    /// The record's position.
    pub index: u64,
    /// The hashes from the leaf's sibling up.
    pub proof: Vec<TreeHash>,
    /// The signed head.
    pub note: String,
}

/// The record itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The leaf's bytes, which are text.
    pub leaf: String,
    /// The payloads that the receipt discloses, by name.
    pub payloads: BTreeMap<String, OpenedPayload>,
}

/// A payload with what ties it to the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedPayload {
    /// The salt, in base64.
    pub salt: String,
    /// The payload's bytes, which are text.
    pub text: String,
}

/// What a receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The record's leaf.
    pub leaf: Leaf,
    /// The head that covers it.
    pub checkpoint: Checkpoint,
    /// The payloads that it discloses, each the one that the leaf commits to.
    pub payloads: BTreeMap<String, String>,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// It is no receipt.
    #[error("it is not a receipt: {0}")]
    Shape(&'static str),
    /// Its head is not to be believed.
    #[error("its head is not to be believed: {0}")]
    Head(FaultKind),
    /// The record is not in the log that the head is of.
    #[error("the record is not in the log: {0}")]
    Proof(#[from] ProofError),
    /// Its head is not the one that somebody holds.
    #[error("its head is not the one over {0} records that is held here")]
    OtherHead(u64),
    /// A payload that it discloses is another than the record's.
    #[error("the payload `{0}` is not the record's")]
    Payload(String),
}

impl Receipt {
    /// The file's text.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let extra = STANDARD.encode(serde_json::to_vec(&self.opened)?);
        let mut text = format!("{FIRST_LINE}\nextra {extra}\nindex {}\n", self.index);
        for hash in &self.proof {
            text.push_str(&hash.to_base64());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note);
        Ok(text)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is no receipt.
    pub fn read(text: &str) -> Result<Self, ReceiptError> {
        let (head, note) = text.split_once("\n\n").ok_or(ReceiptError::Shape("it has no signed head"))?;
        let mut lines = head.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(ReceiptError::Shape("its first line is not that of a proof"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let opened = extra.and_then(|extra| STANDARD.decode(extra).ok());
        let opened = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let opened = opened.ok_or(ReceiptError::Shape("it does not hold the record"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|digits| digits.parse::<u64>().ok().filter(|index| index.to_string() == digits));
        let index = index.ok_or(ReceiptError::Shape("it names no position"))?;
        let proof: Option<Vec<TreeHash>> = lines.map(TreeHash::from_base64).collect();
        let proof = proof.ok_or(ReceiptError::Shape("a line of its proof is no hash"))?;
        Ok(Self { opened, index, proof, note: note.to_owned() })
    }

    /// What it proves to somebody who trusts these keys.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn verify(&self, trust: &Trust) -> Result<Proved, ReceiptError> {
        let leaf = Leaf::read(self.opened.leaf.as_bytes()).ok_or(ReceiptError::Shape("what it holds is no record"))?;
        let checkpoint = trust.for_logs(&[&leaf.log]).open(&leaf.log, &self.note).map_err(ReceiptError::Head)?;
        let hash = leaf_hash(self.opened.leaf.as_bytes());
        verify_inclusion(&hash, self.index, checkpoint.size, &self.proof, &checkpoint.root)?;
        if leaf.seq != self.index {
            return Err(ReceiptError::Shape("the record says that it stands elsewhere"));
        }
        let mut payloads = BTreeMap::new();
        for (name, payload) in &self.opened.payloads {
            let salt = STANDARD.decode(&payload.salt).unwrap_or_default();
            if !leaf.holds(name, &salt, payload.text.as_bytes()) {
                return Err(ReceiptError::Payload(name.clone()));
            }
            payloads.insert(name.clone(), payload.text.clone());
        }
        Ok(Proved { leaf, checkpoint, payloads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Entry;
    use crate::testing::{Record, story};
    use crate::tree::Tree;

    /// The receipt of one record of the story.
    fn receipt(seq: u64) -> (Receipt, Trust) {
        let mut record = Record::new(1);
        let mut tree = Tree::default();
        story().iter().for_each(|(kind, event)| drop(record.event(kind, event)));
        let note = record.head();
        let mut opened = None;
        for entry in record.entries.borrow().iter() {
            if let Entry::Record(stored) = entry {
                tree.append(leaf_hash(&stored.bytes));
                if stored.seq == seq {
                    let payloads = stored.payloads.iter().map(|payload| {
                        let content = payload.content.clone().unwrap();
                        let text = String::from_utf8(content.bytes).unwrap();
                        (payload.name.clone(), OpenedPayload { salt: STANDARD.encode(&content.salt), text })
                    });
                    let leaf = String::from_utf8(stored.bytes.clone()).unwrap();
                    opened = Some(Opened { leaf, payloads: payloads.collect() });
                }
            }
        }
        let proof = tree.inclusion(seq, tree.size()).unwrap();
        (Receipt { opened: opened.unwrap(), index: seq, proof, note }, record.trust())
    }

    #[test]
    fn a_receipt_proves_its_record_without_anything_else() {
        let (receipt, trust) = receipt(4);
        let text = receipt.to_text().unwrap();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{text}");
        let read = Receipt::read(&text).unwrap();
        assert_eq!(read, receipt);
        let proved = read.verify(&trust).unwrap();
        assert_eq!((proved.leaf.kind.as_str(), proved.checkpoint.size), ("exception_granted", 9));
        assert!(proved.payloads["event"].contains("grant_1"));
    }

    #[test]
    fn an_altered_receipt_proves_nothing() {
        let (good, trust) = receipt(4);
        let mut leaf = good.clone();
        leaf.opened.leaf = leaf.opened.leaf.replace("granted", "refused");
        let mut place = good.clone();
        place.index = 5;
        let mut proof = good.clone();
        proof.proof[0] = leaf_hash(b"other");
        let mut payload = good.clone();
        payload.opened.payloads.get_mut("event").unwrap().text.push(' ');
        let mut head = good.clone();
        head.note = head.note.replace("\n9\n", "\n8\n");
        assert!(matches!(leaf.verify(&trust), Err(ReceiptError::Proof(_))));
        assert!(matches!(place.verify(&trust), Err(ReceiptError::Proof(_))));
        assert!(matches!(proof.verify(&trust), Err(ReceiptError::Proof(_))));
        assert_eq!(payload.verify(&trust), Err(ReceiptError::Payload("event".to_owned())));
        assert!(matches!(head.verify(&trust), Err(ReceiptError::Head(_))));
        assert!(matches!(good.verify(&Record::new(2).trust()), Err(ReceiptError::Head(_))));
        let text = good.to_text().unwrap();
        for bad in [
            String::new(),
            text.replace("@v1", "@v2"),
            text.replace("extra ", "more "),
            text.replace("index 4", "index 04"),
            text.replace("index 4", "index x"),
            text.replace("\n\nproviso", "\nx\n\nproviso"),
        ] {
            assert!(matches!(Receipt::read(&bad), Err(ReceiptError::Shape(_))), "{bad}");
        }
    }
}
