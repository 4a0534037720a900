//! Whether an agent's proxy runs as the gate's own user, on this machine and now.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Found;
use crate::socket::user_name;

/// Looks through the processes of this machine. What cannot be read, such as others' on a closed system, is passed over.
pub fn look_at_processes(data: &Path, found: &mut Found) {
    let Ok(owner) = fs::metadata(data).map(|facts| facts.uid()) else { return };
    let Ok(processes) = fs::read_dir("/proc") else { return };
    let proxies = processes.flatten().filter(|process| {
        let is_theirs = process.metadata().is_ok_and(|facts| facts.uid() == owner);
        is_theirs && fs::read(process.path().join("cmdline")).is_ok_and(|line| is_proxy(&line))
    });
    let count = proxies.count();
    if count > 0 {
        let user = user_name(owner);
        found.tell("same_user_as_agent", format!("{count} `proviso mcp` run as `{user}`, who owns the data folder"));
    }
}

/// Whether a command line, its words ended by zeroes, starts the proxy.
fn is_proxy(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == 0);
    let is_ours = words.next().is_some_and(|program| program.rsplit(|byte| *byte == b'/').next() == Some(b"proviso"));
    // What stands before the command is an option of all commands.
    let command = words.find(|word| !word.starts_with(b"-"));
    is_ours && command == Some(b"mcp")
}

#[cfg(test)]
mod tests {
    use super::is_proxy;

    #[test]
    fn a_proxy_is_told_by_its_command_line() {
        for (line, proxy) in [
            (&b"/usr/bin/proviso\0mcp\0--gate\0http://127.0.0.1:1\0"[..], true),
            (b"proviso\0--json\0mcp\0", true),
            (b"proviso\0serve\0--data\0mcp\0", false),
            (b"/opt/proviso-helper\0mcp\0", false),
            (b"vim\0mcp\0", false),
            (b"", false),
        ] {
            assert_eq!(is_proxy(line), proxy, "{}", String::from_utf8_lossy(line));
        }
    }
}
