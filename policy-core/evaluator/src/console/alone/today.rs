//! The bundle before, asked about what somebody does alone under the next one.

use std::collections::BTreeMap;
use std::rc::Rc;

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;

use super::super::matters::{Asks, Matter, Matters, Part};
use super::{TooMuch, answers};
use crate::Bundle;

/// What is asked, whoever has a part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked<'a> {
    pub act: Act,
    pub about: Option<&'a EntityRef>,
    pub matter: &'a Matter,
    pub assurance: &'a str,
    pub now: Timestamp,
}

/// How many people it takes of whom somebody is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// They may not.
    Never,
    One,
    Two,
}

/// What a person of the bundle before is answered, in each part that they may have.
type Answered<'a> = (&'a EntityRef, Vec<(Part, Takes)>);

/// The bundle before, with what may still be asked.
pub(super) struct Today<'a> {
    old: &'a Bundle,
    matters: &'a Matters,
    people: &'a [EntityRef],
    left: usize,
    known: BTreeMap<Asked<'a>, Rc<Vec<Answered<'a>>>>,
}

impl<'a> Today<'a> {
    /// `people` are those of the bundle before.
    pub const fn new(old: &'a Bundle, people: &'a [EntityRef], matters: &'a Matters, left: usize) -> Self {
        Self { old, matters, people, left, known: BTreeMap::new() }
    }

    /// Takes so many questions from those that may still be asked.
    fn spend(&mut self, asked: usize) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(asked).ok_or(TooMuch::Questions)?;
        Ok(())
    }

    /// Whether it may be that somebody may do it, and nobody alone, in a matter in which this person has this part.
    ///
    /// INVARIANT (R4): who else is an owner, and who else asks, may be anybody: it takes two where it does for any of them.
    pub fn takes_two(&mut self, asked: Asked<'a>, person: &EntityRef, part: Part) -> Result<bool, TooMuch> {
        let answered = match self.known.get(&asked) {
            Some(known) => Rc::clone(known),
            None => {
                let answered = Rc::new(self.ask(asked)?);
                self.known.insert(asked, Rc::clone(&answered));
                answered
            }
        };
        let answered = answered.as_slice();
        Ok(match part.asks {
            Asks::Nobody => could_take_two(answered, (person, part), None),
            Asks::Oneself => could_take_two(answered, (person, part), Some(person)),
            // Whoever the bundle does not know may ask, too.
            Asks::Another => {
                let others = answered.iter().map(|(other, _)| *other).filter(|other| *other != person);
                others.map(Some).chain([None]).any(|asker| could_take_two(answered, (person, part), asker))
            }
        })
    }

    fn ask(&mut self, asked: Asked<'a>) -> Result<Vec<Answered<'a>>, TooMuch> {
        let parts = self.matters.parts(asked.about);
        self.spend(self.people.len().saturating_mul(parts.len()))?;
        let each = self.people.iter().map(|person| {
            let acts: Vec<_> = parts
                .iter()
                .map(|part| asked.matter.act((asked.act, asked.about), (person, *part), self.people))
                .collect();
            let takes =
                answers(self.old, (person, asked.assurance), asked.now, &acts).into_iter().map(|answer| {
                    match (answer.permitted, answer.persons) {
                        (false, _) => Takes::Never,
                        (true, 0 | 1) => Takes::One,
                        (true, _) => Takes::Two,
                    }
                });
            let answered: Vec<(Part, Takes)> = parts.iter().copied().zip(takes).collect();
            (person, answered)
        });
        Ok(each.collect())
    }
}

/// Whether there are owners with whom somebody may do it and nobody alone, where this one asks.
fn could_take_two(answered: &[Answered<'_>], (person, part): (&EntityRef, Part), asker: Option<&EntityRef>) -> bool {
    let mut somebody = false;
    for (other, takes) in answered {
        let asks = match part.asks {
            Asks::Nobody => Asks::Nobody,
            _ if Some(*other) == asker => Asks::Oneself,
            _ => Asks::Another,
        };
        // Each of the others may be an owner or not, whoever else is one.
        let may_be = |of: &Part| of.asks == asks && (*other != person || of.owns == part.owns);
        let takes: Vec<Takes> = takes.iter().filter(|(of, _)| may_be(of)).map(|(_, takes)| *takes).collect();
        if takes.iter().all(|takes| *takes == Takes::One) {
            return false;
        }
        somebody |= takes.contains(&Takes::Two);
    }
    somebody
}
