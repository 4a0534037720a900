//! What is found by owner and time is what a look at every exception finds, whatever has happened.

mod world;

use policy_core::grant::Grant;
use proptest::prelude::*;

use super::*;
use world::{AGENTS, DAY, Step, World, policies, step};

impl World {
    /// Holds where grants are found against the grants that there are: none that was erased is found.
    fn hold_grants(&self) {
        let held = self.state.exceptions.values().filter_map(|entry| entry.exception.phase.grant());
        let grants: Vec<&Grant> = held.map(|held| &*held.grant).collect();
        let by_id: BTreeMap<&str, &str> = grants.iter().map(|grant| (&*grant.id, &*grant.exception)).collect();
        assert!(self.state.grants.iter().map(|(id, of)| (&**id, &**of)).eq(by_id.clone()));
        let mut by_holder: BTreeMap<(&EntityRef, &str), BTreeSet<&str>> = BTreeMap::new();
        for grant in grants {
            by_holder.entry((&grant.subject, &grant.task)).or_default().insert(&grant.exception);
        }
        let granted = self.state.granted.iter();
        let granted = granted.map(|((of, task), ids)| ((of, &**task), ids.iter().map(|id| &**id).collect()));
        assert_eq!(granted.collect::<BTreeMap<_, BTreeSet<&str>>>(), by_holder);
        let forgotten = self.state.forgotten.iter().map(|grant| &*grant.id);
        assert!(forgotten.eq(&self.erased), "each is told once, to whoever finds grants besides");
    }

    /// Holds every question there is, at several instants, against a look at everything.
    fn hold(&self, policies: &[Policy]) {
        let instants =
            [-2 * DAY, -1, 0, 1, 3_600, DAY].map(|off| Timestamp::from_millis(self.now.millis() + off * 1_000));
        let first = self.exception(0).map(|exception| exception.request.id.as_str());
        for (policy, now) in policies.iter().flat_map(|policy| instants.map(|now| (policy, now))) {
            for (agent, action, task) in (0..AGENTS.len()).flat_map(|a| [(a, 0, 0), (a, 0, 1), (a, 1, 0)]) {
                let question = self.question(agent, action, task);
                for but in [None, first] {
                    let found = held_already(&self.state, policy, &question, but, now);
                    let expected = every(&self.state, policy, &question, but, now);
                    assert_eq!(found, expected, "{:?} {now} {but:?}", question.call.subject);
                }
            }
        }
    }
}

/// The plain look at every exception.
fn every(state: &State, policy: &Policy, question: &SealedQuestion, but: Option<&str>, now: Timestamp) -> Sums {
    let call = &question.call;
    let sum_at = policy.sum_path(&call.action);
    let owners = owners_of(state, policy, &call.subject);
    let asked = |entry: &&Entry| entry.exception.request.question.call.clone();
    state
        .exceptions
        .values()
        .filter(|entry| Some(entry.exception.request.id.as_str()) != but && asked(entry).action == call.action)
        .filter(|entry| {
            let subject = asked(entry).subject;
            subject == call.subject || owners_of(state, policy, &subject).iter().any(|owner| owners.contains(owner))
        })
        .fold((0, 0, 0), |sums, entry| add(sums, entry, question, sum_at.as_deref(), now))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_held_is_what_a_look_at_everything_finds(steps in prop::collection::vec(step(), 1..60)) {
        let policies = policies();
        let mut world = World::new(&policies[0]);
        for (count, step) in steps.iter().enumerate() {
            world.step(step);
            if count % 8 == 0 {
                world.hold(&policies);
            }
        }
        world.hold(&policies);
        world.hold_grants();
        // A start finds what the running gate has.
        let form = world.state.form().unwrap();
        let resumed = State::of_form(0, &form).unwrap();
        prop_assert_eq!(&resumed.held, &world.state.held);
        world.state = resumed;
        world.hold(&policies);
    }
}

#[test]
fn what_others_hold_and_what_is_long_over_is_not_looked_at() {
    let policies = policies();
    let mut world = World::new(&policies[0]);
    // 0 is tom's, 3 is jun's: of each thirty that were used, thirty that nobody decided, and one that stands.
    for agent in [0, 3] {
        for _ in 0..30 {
            world.ask(world.question(agent, 0, 1), 4, 1, 60);
            let last = world.state.exceptions.len() - 1;
            (0..=last).for_each(|which| {
                [Step::Grant(which), Step::Use(which, 4), Step::Exhaust(which)]
                    .iter()
                    .for_each(|step| world.step(step));
            });
        }
    }
    for agent in [0, 3].repeat(30) {
        world.ask(world.question(agent, 0, 0), 4, 1, 60);
    }
    world.step(&Step::Later(2 * DAY));
    world.ask(world.question(0, 0, 0), 4, 1, 60);
    world.ask(world.question(3, 0, 0), 4, 1, 60);
    let question = world.question(0, 0, 0);
    let of_action = world.state.held.of("post").unwrap();
    let looked_at = |task: &str, summed: bool| -> usize {
        let held = of_owners(&world.state, &policies[0], of_action, &question.call.subject);
        let ids = held.iter().flat_map(|held| held.counting(task, world.now, summed));
        ids.collect::<BTreeSet<_>>().len()
    };
    assert_eq!(world.state.exceptions.len(), 122);
    assert_eq!([looked_at("close", true), looked_at("audit", false), looked_at("audit", true)], [1, 1, 31]);
    world.hold(&policies);
}
