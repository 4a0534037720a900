//! Paths in their one normal form. What is not in it is outside every folder.

/// The longest path, in bytes.
const LONGEST_PATH: usize = 4096;

/// Whether a path is absolute and in normal form: it begins with `/`, has no empty, `.` or `..` segment and no `/` at
/// its end (but for the root itself); no `~`, backslash or control character; and no segment with space at an end.
pub fn is_normal_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    if path.len() > LONGEST_PATH {
        return false;
    }
    rest.is_empty() || rest.split('/').all(is_normal_segment)
}

fn is_normal_segment(segment: &str) -> bool {
    // A tilde or a backslash may be a home folder or a separator to whoever opens the path: doubt is deny (R8).
    !matches!(segment, "" | "." | "..")
        && segment.trim() == segment
        && !segment.chars().any(|c| matches!(c, '~' | '\\') || c.is_control() || crate::text::is_odd(c))
}

/// Whether a path is this folder or lies in it, by whole segments, both in normal form. `*` is a character like others.
pub fn is_inside(path: &str, folder: &str) -> bool {
    if !is_normal_path(path) || !is_normal_path(folder) {
        return false;
    }
    match path.strip_prefix(folder) {
        Some(rest) => rest.is_empty() || folder == "/" || rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_has_one_form() {
        for path in ["/", "/a", "/a/b.txt", "/a b/c", "/a/.hidden", "/a/...", "/a*b/\"c\"", "/größe/日本"] {
            assert!(is_normal_path(path), "{path}");
        }
        for path in [
            "",
            "a",
            "reports/x",
            "./a",
            "/a/",
            "//",
            "//a",
            "/a//b",
            "/./a",
            "/a/.",
            "/a/../b",
            "/..",
            "~/a",
            "/~/a",
            "/a~",
            "~",
            " /a",
            "/a ",
            "/ a/b",
            "/a /b",
            "/a\n",
            "/a\0b",
            "/a\\b",
            "/a/\u{a0}b",
            "/a\u{202e}b",
            "file:///a",
        ] {
            assert!(!is_normal_path(path), "{path:?}");
        }
        assert!(is_normal_path(&format!("/{}", "x".repeat(LONGEST_PATH - 1))));
        assert!(!is_normal_path(&format!("/{}", "x".repeat(LONGEST_PATH))));
    }

    #[test]
    fn inside_goes_by_whole_segments() {
        for (path, folder) in [("/a", "/a"), ("/a/b", "/a"), ("/a/b/c", "/a"), ("/a", "/"), ("/", "/"), ("/*/b", "/*")]
        {
            assert!(is_inside(path, folder), "{path} in {folder}");
        }
        for (path, folder) in [
            ("/ab", "/a"),
            ("/a", "/a/b"),
            ("/", "/a"),
            ("/a/../x", "/a"),
            ("/a//x", "/a"),
            ("/a/x", "/a/"),
            ("a/x", "a"),
            ("/a/x", ""),
            ("/x/b", "/*"),
            ("/A/x", "/a"),
        ] {
            assert!(!is_inside(path, folder), "{path} in {folder}");
        }
    }
}
