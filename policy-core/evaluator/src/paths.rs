//! Paths that become resources. All of them are in the one normal form that `policy_core::containment` defines.

/// The folders that a path in normal form lies in, from the nearest outward: for `/a/b` they are `/a` and `/`.
pub fn folders(path: &str) -> Vec<&str> {
    let mut folders = Vec::new();
    let mut rest = path;
    while let Some((before, last)) = rest.rsplit_once('/') {
        if last.is_empty() {
            break;
        }
        folders.push(if before.is_empty() { "/" } else { before });
        rest = before;
    }
    folders
}

/// The first `segments` segments of a path in normal form.
pub fn cut(path: &str, segments: usize) -> String {
    let kept: Vec<&str> = path.split('/').skip(1).filter(|segment| !segment.is_empty()).take(segments).collect();
    format!("/{}", kept.join("/"))
}

/// What of `path` lies below `root`, as an absolute path; nothing when it lies outside. Both in normal form.
pub fn below<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    if root == "/" {
        return Some(path);
    }
    match path.strip_prefix(root)? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_roots_go_by_whole_segments() {
        assert_eq!(folders("/a/b"), ["/a", "/"]);
        assert_eq!(folders("/a"), ["/"]);
        assert!(folders("/").is_empty());
        for (path, segments, expected) in [("/a/b/c", 1, "/a"), ("/a/b/c", 2, "/a/b"), ("/a", 2, "/a"), ("/", 1, "/")] {
            assert_eq!(cut(path, segments), expected);
        }
        for (path, root, expected) in
            [("/r/a", "/r", Some("/a")), ("/r", "/r", Some("/")), ("/rx/a", "/r", None), ("/a", "/", Some("/a"))]
        {
            assert_eq!(below(path, root), expected, "{path} {root}");
        }
    }
}
