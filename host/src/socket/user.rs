//! Operating-system users by number.

use std::fs;

/// The user's name from the local table, or the number where it has none.
pub fn user_name(uid: u32) -> String {
    let table = fs::read_to_string("/etc/passwd").unwrap_or_default();
    find(&table, uid).unwrap_or_else(|| uid.to_string())
}

fn find(table: &str, uid: u32) -> Option<String> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn users_are_found_by_number() {
        let table = "root:x:0:0:root:/root:/bin/bash\nbroken\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(find(table, 0).as_deref(), Some("root"));
        assert_eq!(find(table, 1000).as_deref(), Some("ada"));
        assert_eq!(find(table, 7), None);
    }
}
