//! Moves bytes between the client, the session, the gate and the upstream.

use std::io::Read as _;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::gate::Gate;
use super::lines::Splitter;
use super::message::{FROM_CLIENT, FROM_UPSTREAM};
use super::options::{Options, SUBJECT_TOKEN_VARIABLE, TOKEN_VARIABLE};
use super::session::{Action, Config, End, Input, Session, Side};
use super::start_error::StartError;
use crate::clock::{Clock, SystemClock};
use crate::random::{self, SystemRandom};

/// How long the upstream may take to accept a line that no allow bounds.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long what was begun may take to end when the client has gone, and how long the last reports may take.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// How long between two looks at what was stopped, after news or a failure.
const RESTS: Duration = Duration::from_secs(1);

/// How many lines of a side wait to be handled.
const QUEUE: usize = 64;

/// The exit codes of the command line.
const BAD_INPUT: u8 = 65;
const UNAVAILABLE: u8 = 69;

/// The command `proviso mcp`: stands before a server until the client or the server goes.
///
/// Standard output carries MCP and nothing else; what the operator should know goes to standard error, as the server's
/// own standard error does. Exit codes: 0 when the client has gone, 65 for a server whose list of tools is not
/// acceptable, 69 when the server has gone.
///
/// # Errors
/// When the options are bad or the server cannot be started: nothing was said to anybody.
pub async fn run(options: Options) -> Result<ExitCode, StartError> {
    let checked = options.check(|name| std::env::var(name).ok())?;
    let mut command = Command::new(&checked.program);
    // The server must not hold what opens the gate.
    command.args(&checked.arguments).env_remove(TOKEN_VARIABLE).env_remove(SUBJECT_TOKEN_VARIABLE);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let (Ok(word), Ok(gate)) = (random::id(&SystemRandom, "s"), Gate::new(checked.access, checked.witness)) else {
        return Err(StartError::System);
    };
    let mut child = command.spawn().map_err(StartError::Server)?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(StartError::System);
    };
    let session =
        Session::new(Config { server: checked.server, roots: Some(checked.roots), list_good_for: None, word });
    let ends = Ends { from_client: standard_input(), to_client: tokio::io::stdout(), to_upstream: input };
    let end = converse(session, Arc::new(gate), ends, output, Arc::new(SystemClock)).await;
    // Its standard input is closed now: a server that listens goes by itself.
    if tokio::time::timeout(Duration::from_secs(2), child.wait()).await.is_err() {
        let _gone = child.start_kill();
        let _status = child.wait().await;
    }
    Ok(ExitCode::from(match end {
        End::ClientClosed => 0,
        End::UpstreamClosed => UNAVAILABLE,
        End::BadToolList => BAD_INPUT,
    }))
}

/// The streams of a conversation, but for what the upstream says.
pub struct Ends<C, U> {
    /// What the client says.
    pub from_client: mpsc::Receiver<Input>,
    /// To the client.
    pub to_client: C,
    /// To the upstream.
    pub to_upstream: U,
}

/// Holds a conversation until one side goes.
pub async fn converse<C, U, O>(
    mut session: Session,
    gate: Arc<Gate>,
    mut ends: Ends<C, U>,
    output: O,
    clock: Arc<dyn Clock>,
) -> End
where
    C: AsyncWrite + Unpin,
    U: AsyncWrite + Unpin,
    O: AsyncRead + Unpin + Send + 'static,
{
    let mut from_upstream = inputs(output, Splitter::new(Side::Upstream, FROM_UPSTREAM.max_bytes));
    let mut tasks: JoinSet<Input> = JoinSet::new();
    let mut client_gone = false;
    // Whether the gate is being asked what was stopped, and how long to wait before it is asked again.
    let (mut watching, mut rest) = (false, Duration::ZERO);
    let mut terminate = signal(SignalKind::terminate()).ok();
    let deadline = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(deadline);
    let end = 'conversation: loop {
        let input = tokio::select! {
            Some(done) = tasks.join_next(), if !tasks.is_empty() => match done {
                Ok(input) => input,
                Err(_) => continue,
            },
            line = from_upstream.recv() => line.unwrap_or(Input::UpstreamClosed),
            line = ends.from_client.recv(), if !client_gone => {
                if line.is_none() {
                    client_gone = true;
                    deadline.as_mut().reset(tokio::time::Instant::now() + LAST_PATIENCE);
                }
                match line {
                    Some(input) => input,
                    None if session.is_idle() => Input::ClientClosed,
                    None => continue,
                }
            }
            () = &mut deadline, if client_gone => Input::ClientClosed,
            Some(()) = async { terminate.as_mut()?.recv().await } => Input::ClientClosed,
        };
        if let Input::Stopped(stopped) = &input {
            // What cannot be called off is named again until its outcome is reported.
            rest = if stopped.as_ref().is_some_and(Vec::is_empty) { Duration::ZERO } else { RESTS };
            watching = false;
        }
        let mut actions = std::collections::VecDeque::from(session.handle(input, clock.boot()));
        if !watching && session.has_begun() {
            watching = true;
            let gate = Arc::clone(&gate);
            tasks.spawn(async move {
                tokio::time::sleep(rest).await;
                Input::Stopped(gate.stopped().await.ok())
            });
        }
        if client_gone && session.is_idle() {
            actions.extend(session.handle(Input::ClientClosed, clock.boot()));
        }
        while let Some(action) = actions.pop_front() {
            let written = match action {
                Action::ToClient(line) => {
                    // A client that is gone is noticed when it is read from.
                    let _gone = write(&mut ends.to_client, line).await;
                    true
                }
                Action::ToUpstream(line) => timely(WRITE_PATIENCE, write(&mut ends.to_upstream, line)).await,
                Action::ToUpstreamBefore(line, until) => {
                    // INVARIANT (R7): an allow is for its few seconds, and a pipe that is full does not prolong it.
                    let left = Duration::from_millis(until.saturating_sub(clock.boot()));
                    !left.is_zero() && timely(left, write(&mut ends.to_upstream, line)).await
                }
                Action::Gate(ticket, ask) => {
                    let gate = Arc::clone(&gate);
                    tasks.spawn(async move { Input::Gate(ticket, gate.ask(ask).await) });
                    true
                }
                Action::After(ticket, millis) => {
                    tasks.spawn(async move {
                        tokio::time::sleep(Duration::from_millis(millis)).await;
                        Input::Elapsed(ticket)
                    });
                    true
                }
                Action::Note(text) => {
                    say(&text);
                    true
                }
                Action::End(end) => break 'conversation end,
            };
            if !written {
                // Part of a line may have left: nobody can say what the upstream makes of it.
                actions = std::collections::VecDeque::from(session.handle(Input::UpstreamClosed, clock.boot()));
            }
        }
    };
    drop(ends.to_upstream);
    // The last reports are evidence; the timers are not.
    let _late = tokio::time::timeout(LAST_PATIENCE, async {
        while !session.is_reported() {
            match tasks.join_next().await {
                Some(Ok(input)) => session.settle(input),
                Some(Err(_)) => {}
                None => break,
            }
        }
    })
    .await;
    end
}

async fn write(to: &mut (impl AsyncWrite + Unpin), mut line: Vec<u8>) -> std::io::Result<()> {
    line.push(b'\n');
    to.write_all(&line).await?;
    to.flush().await
}

async fn timely(patience: Duration, write: impl Future<Output = std::io::Result<()>>) -> bool {
    matches!(tokio::time::timeout(patience, write).await, Ok(Ok(())))
}

/// Reads a stream's lines in a task of its own, so that a side that says much does not stop the other.
pub fn inputs(mut from: impl AsyncRead + Unpin + Send + 'static, mut splitter: Splitter) -> mpsc::Receiver<Input> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count) = from.read(&mut buffer).await {
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return };
            for input in splitter.push(bytes) {
                if sender.send(input).await.is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

/// Standard input in a thread of its own: tokio's would keep the process alive until the client writes once more.
fn standard_input() -> mpsc::Receiver<Input> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    std::thread::spawn(move || {
        let mut splitter = Splitter::new(Side::Client, FROM_CLIENT.max_bytes);
        let mut buffer = vec![0; 64 * 1024];
        let mut input = std::io::stdin().lock();
        while let Ok(count) = input.read(&mut buffer) {
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return };
            for line in splitter.push(bytes) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

fn say(text: &str) {
    eprintln!("proviso mcp: {text}");
}
