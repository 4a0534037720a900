//! Addresses and bytes of tiles (C2SP tlog-tiles): 256 hashes, or 256 entries, of a log.

use std::fmt;
use std::str::FromStr;

/// How many hashes or entries a full tile holds.
pub const TILE: u64 = 256;
/// The highest level that a tree of 2⁶⁴ leaves has.
const HIGHEST: u8 = 7;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of a level; level 0 is the leaves'.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// One tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Which, from 0.
    pub index: u64,
    /// How many hashes or entries: 1 to 256. Fewer than 256 is a partial tile.
    pub width: u16,
}

/// A path that is no tile's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is not the path of a tile")]
pub struct NoTile;

impl fmt::Display for Tile {
    /// The path below a log's prefix: `tile/0/x001/234`, `tile/entries/000.p/7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        let last = groups.len() - 1;
        for (place, group) in groups.iter().rev().enumerate() {
            if place == last { write!(f, "{group:03}")? } else { write!(f, "x{group:03}/")? }
        }
        if u64::from(self.width) < TILE { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Tile {
    type Err = NoTile;

    fn from_str(path: &str) -> Result<Self, Self::Err> {
        let rest = path.strip_prefix("tile/").ok_or(NoTile)?;
        let (kind, rest) = rest.split_once('/').ok_or(NoTile)?;
        let kind = if kind == "entries" {
            TileKind::Entries
        } else {
            TileKind::Hashes(kind.parse().ok().filter(|level| *level <= HIGHEST).ok_or(NoTile)?)
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().map_err(|_| NoTile)?),
            None => (rest, 256),
        };
        let digits: String = index.chars().filter(|letter| letter.is_ascii_digit()).collect();
        let tile = Self { kind, index: digits.parse().map_err(|_| NoTile)?, width };
        // Whatever is not written in its one form is another path.
        let whole = u64::from(width) == TILE && !path.contains(".p/");
        let partial = (1..TILE).contains(&u64::from(width)) && path.contains(".p/");
        if (whole || partial) && tile.to_string() == path { Ok(tile) } else { Err(NoTile) }
    }
}

impl Tile {
    /// The tiles of one kind or level that hold `count` hashes or entries, from left to right.
    pub fn all(kind: TileKind, count: u64) -> impl Iterator<Item = Self> {
        (0..count.div_ceil(TILE)).map(move |index| {
            let width = u16::try_from((count - index * TILE).min(TILE)).unwrap_or(256);
            Self { kind, index, width }
        })
    }

    /// Every tile of a log of this size: of hashes, level by level, and of entries.
    pub fn of_log(size: u64) -> impl Iterator<Item = Self> {
        let levels = (0..=HIGHEST).map(move |level| (level, size.checked_shr(8 * u32::from(level)).unwrap_or(0)));
        let hashes = levels.flat_map(|(level, count)| Self::all(TileKind::Hashes(level), count));
        hashes.chain(Self::all(TileKind::Entries, size))
    }
}

/// Appends an entry to the bytes of an entries tile: its length in two bytes, and itself. False: it is too large, and
/// nothing was appended.
#[must_use]
pub fn bundle_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else { return false };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The entries of an entries tile. Absent: it is cut, or something follows.
pub fn read_bundle(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_has_one_path() {
        let hashes = |level, index, width| Tile { kind: TileKind::Hashes(level), index, width };
        for (tile, path) in [
            (hashes(0, 0, 256), "tile/0/000"),
            (hashes(0, 0, 1), "tile/0/000.p/1"),
            (hashes(2, 999, 255), "tile/2/999.p/255"),
            (hashes(1, 1000, 256), "tile/1/x001/000"),
            // The specification's example.
            (hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (Tile { kind: TileKind::Entries, index: 7, width: 12 }, "tile/entries/007.p/12"),
        ] {
            assert_eq!(tile.to_string(), path);
            assert_eq!(path.parse(), Ok(tile));
        }
        for path in [
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/x000/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/8/000",
            "tile/00/000",
            "tile/-1/000",
            "tile/0/../000",
            "tile/0/x001/0000",
            "tile/data/000",
            "tile/0/",
            "tile/0/000/",
            "/tile/0/000",
            "checkpoint",
            "",
        ] {
            assert_eq!(path.parse::<Tile>(), Err(NoTile), "{path}");
        }
    }

    #[test]
    fn a_log_has_the_tiles_of_its_size() {
        let paths = |size| Tile::of_log(size).map(|tile| tile.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(0), Vec::<String>::new());
        assert_eq!(paths(3), ["tile/0/000.p/3", "tile/entries/000.p/3"]);
        assert_eq!(paths(256), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
        assert_eq!(
            paths(513),
            [
                "tile/0/000",
                "tile/0/001",
                "tile/0/002.p/1",
                "tile/1/000.p/2",
                "tile/entries/000",
                "tile/entries/001",
                "tile/entries/002.p/1",
            ]
        );
    }

    #[test]
    fn entries_stand_behind_their_length() {
        let mut bundle = Vec::new();
        assert!(bundle_entry(&mut bundle, b"one") && bundle_entry(&mut bundle, b""));
        assert!(bundle_entry(&mut bundle, &[7; 65_535]));
        let before = bundle.clone();
        assert!(!bundle_entry(&mut bundle, &[7; 65_536]));
        assert_eq!(bundle, before);
        assert_eq!(read_bundle(&bundle), Some(vec![&b"one"[..], b"", &[7; 65_535]]));
        assert_eq!(read_bundle(&bundle[..bundle.len() - 1]), None);
        assert_eq!(read_bundle(&[0]), None);
    }
}
