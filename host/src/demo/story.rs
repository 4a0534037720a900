//! What a person reads on the console.

use std::env;
use std::fmt::Write as _;

use super::place::Place;

/// The story, with the URL.
pub fn story(place: &Place, url: &str) -> String {
    let mut text = format!(
        "Proviso is ready at {url}\n\
         \n\
         This is a demo: anybody may sign in as anybody, on this machine alone.\n\
         \n\
         1. Open {url} and sign in as mara. Within a few seconds the queue holds what agents ask for.\n\
         2. report-writer wants to write below reports/. Open it, narrow the path or the time, watch the preview\n\
         \x20  change, and approve: the file appears in {files}/reports.\n\
         3. close-planner wants to post to a regulated journal. That takes two people, one of finance and one of\n\
         \x20  security: approve as mara, sign out, approve as vera.\n\
         4. intern-bot tries what a guardrail forbids. Nobody can approve that, so it never reaches the queue.\n\
         5. Sign in as kit and open People: an administrator invites, and whom it takes two to let in waits for jun.\n\
         6. Look at an exception's history, then stop the demo with Ctrl-C, or verify the record while it runs:\n\
         \x20  proviso audit verify --data {data}\n",
        files = place.files().display(),
        data = place.data().display(),
    );
    if on_path("npx") {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\nNode is here. To put the gate before the real filesystem server, give your MCP client this command:\n\
             proviso mcp --gate {url} --server files --token-file {point} --subject-token-file {agent} \\\n\
             \x20 -- npx -y @modelcontextprotocol/server-filesystem@2026.8.31 {files}\n",
            point = place.token("gateway").display(),
            agent = place.token("report-writer").display(),
            files = place.files().display(),
        );
    }
    text
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
