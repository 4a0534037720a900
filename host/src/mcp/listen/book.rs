//! The conversations that there are: sessions of the earlier era by name, and in the later one each caller's own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy_core::digest::Digest;
use tokio::sync::mpsc::{Sender, channel};

use super::actor::{Actor, Event, Parts, Shared};
use super::bounds::{IDLE, MOST_CONVERSATIONS, MOST_SESSIONS_OF_ONE, QUEUE};
use super::callers::Caller;
use super::stops::Begun;
use super::upstream::Upstream;
use crate::clock::Clock;
use crate::mcp::era::Era;
use crate::mcp::gate::Gate;
use crate::mcp::session::Config;
use crate::random::{self, Random};

/// A conversation, as its entrance holds it.
pub struct Conversation {
    /// Whose it is, and nobody else's.
    pub caller: Digest,
    /// What entrance and conversation both know.
    pub shared: Arc<Shared>,
    events: Sender<Event>,
    gate: Arc<Gate>,
    used: AtomicU64,
    counter: AtomicU64,
}

impl Conversation {
    /// Lets something happen, by this newest token of the caller's. Whether the conversation is there for it.
    pub async fn happen(&self, event: Event, token: &str, now: u64) -> bool {
        self.gate.renew(token);
        self.used.store(now, Ordering::Release);
        self.events.send(event).await.is_ok()
    }

    /// Tells that nobody listens any more. By whoever goes away, who waits for nothing.
    pub fn events(&self) -> Sender<Event> {
        self.events.clone()
    }

    /// The next number for a request.
    pub fn number(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::AcqRel).saturating_add(1)
    }

    fn is_over(&self) -> bool {
        self.events.is_closed()
    }

    fn is_idle(&self, now: u64) -> bool {
        let idle = u64::try_from(IDLE.as_millis()).unwrap_or(u64::MAX);
        let since = self.used.load(Ordering::Acquire);
        self.shared.open.load(Ordering::Acquire) == 0 && now >= since.saturating_add(idle)
    }
}

/// What a new conversation is made with.
pub struct Making {
    pub server: String,
    pub roots: Option<Vec<String>>,
    pub list_good_for: u64,
    pub upstream: Arc<Upstream>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub begun: Arc<Begun>,
}

/// There is no room, or there are no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

#[derive(Default)]
struct Shelves {
    sessions: BTreeMap<String, Arc<Conversation>>,
    callers: BTreeMap<Digest, Arc<Conversation>>,
}

/// All of them.
pub struct Book {
    making: Making,
    shelves: Mutex<Shelves>,
    /// Held by each that lives.
    alive: Mutex<Option<Sender<()>>>,
}

impl Book {
    /// Nobody has called yet. `alive` is closed once the book is and every conversation has ended.
    pub fn new(making: Making, alive: Sender<()>) -> Self {
        Self { making, shelves: Mutex::default(), alive: Mutex::new(Some(alive)) }
    }

    /// The session of this name, where it is this caller's.
    pub fn session(&self, name: &str, caller: &Caller) -> Option<Arc<Conversation>> {
        let mut shelves = self.shelves();
        let found = shelves.sessions.get(name)?;
        if found.is_over() {
            shelves.sessions.remove(name);
            return None;
        }
        // INVARIANT (R3): whoever knows another's session has the name of it and nothing more.
        (found.caller == caller.key).then(|| Arc::clone(found))
    }

    /// A new session of this caller's, and its name.
    ///
    /// # Errors
    /// When there is no room.
    pub fn open(&self, caller: &Caller, gate: Gate) -> Result<(String, Arc<Conversation>), NoRoom> {
        let name = random::id(&*self.making.random, "mcp").map_err(|_| NoRoom)?;
        let mut shelves = self.shelves();
        let own = shelves.sessions.values().filter(|one| one.caller == caller.key && !one.is_over()).count();
        if own >= MOST_SESSIONS_OF_ONE {
            return Err(NoRoom);
        }
        self.make_room(&mut shelves)?;
        let conversation = self.begin(Era::Handshake, caller, gate)?;
        shelves.sessions.insert(name.clone(), Arc::clone(&conversation));
        Ok((name, conversation))
    }

    /// What this caller asks without a session.
    ///
    /// # Errors
    /// When there is no room.
    pub fn of(&self, caller: &Caller, gate: impl FnOnce() -> Gate) -> Result<Arc<Conversation>, NoRoom> {
        let mut shelves = self.shelves();
        if let Some(found) = shelves.callers.get(&caller.key).filter(|found| !found.is_over()) {
            return Ok(Arc::clone(found));
        }
        self.make_room(&mut shelves)?;
        let conversation = self.begin(Era::Stateless, caller, gate())?;
        shelves.callers.insert(caller.key, Arc::clone(&conversation));
        Ok(conversation)
    }

    /// How many requests and streams of this caller are open.
    pub fn open_of(&self, caller: &Caller) -> usize {
        let shelves = self.shelves();
        let own = shelves.sessions.values().chain(shelves.callers.get(&caller.key));
        own.filter(|one| one.caller == caller.key).map(|one| one.shared.open.load(Ordering::Acquire)).sum()
    }

    /// Ends a session of this name.
    pub fn remove(&self, name: &str) {
        self.shelves().sessions.remove(name);
    }

    /// Ends what nobody has used for a while.
    pub async fn sweep(&self) {
        let now = self.making.clock.boot();
        let idle: Vec<Arc<Conversation>> = {
            let mut shelves = self.shelves();
            let mut idle = Vec::new();
            let mut stays = |one: &Arc<Conversation>| {
                if one.is_idle(now) {
                    idle.push(Arc::clone(one));
                }
                !one.is_idle(now) && !one.is_over()
            };
            shelves.sessions.retain(|_, one| stays(one));
            shelves.callers.retain(|_, one| stays(one));
            idle
        };
        for one in idle {
            let _over = one.events.send(Event::End).await;
        }
    }

    /// Tells each what the gate has stopped.
    pub async fn stopped(&self, evaluations: &Arc<[String]>) {
        for one in self.all() {
            let _over = one.events.send(Event::Stopped(Arc::clone(evaluations))).await;
        }
    }

    /// Ends everything, and lets nothing begin any more.
    pub async fn close(&self) {
        drop(self.alive.lock().unwrap_or_else(PoisonError::into_inner).take());
        for one in self.all() {
            let _over = one.events.send(Event::End).await;
        }
    }

    fn all(&self) -> Vec<Arc<Conversation>> {
        let shelves = self.shelves();
        shelves.sessions.values().chain(shelves.callers.values()).cloned().collect()
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_room(&self, shelves: &mut Shelves) -> Result<(), NoRoom> {
        let count = |shelves: &Shelves| shelves.sessions.len() + shelves.callers.len();
        if count(shelves) >= MOST_CONVERSATIONS {
            shelves.sessions.retain(|_, one| !one.is_over());
            shelves.callers.retain(|_, one| !one.is_over());
        }
        if count(shelves) >= MOST_CONVERSATIONS { Err(NoRoom) } else { Ok(()) }
    }

    fn begin(&self, era: Era, caller: &Caller, gate: Gate) -> Result<Arc<Conversation>, NoRoom> {
        let word = random::id(&*self.making.random, "s").map_err(|_| NoRoom)?;
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(NoRoom)?;
        let (events, receiver) = channel(QUEUE);
        let (gate, shared) = (Arc::new(gate), Arc::new(Shared::default()));
        let config = Config {
            server: self.making.server.clone(),
            roots: self.making.roots.clone(),
            list_good_for: Some(self.making.list_good_for),
            word,
        };
        let parts = Parts {
            era,
            config,
            gate: Arc::clone(&gate),
            upstream: Arc::clone(&self.making.upstream),
            clock: Arc::clone(&self.making.clock),
            begun: Arc::clone(&self.making.begun),
            shared: Arc::clone(&shared),
            events: events.clone(),
        };
        tokio::spawn(Actor::new(parts).live(receiver, alive));
        let used = AtomicU64::new(self.making.clock.boot());
        let counter = AtomicU64::new(0);
        Ok(Arc::new(Conversation { caller: caller.key, shared, events, gate, used, counter }))
    }
}
