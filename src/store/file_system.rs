//! Which file systems are not of this machine alone, or need not be: whether locks hold there, and
//! how long the disk takes, is up to somebody else.

use std::path::Path;

/// The network file system that `path`, which exists, is on; `None` where it is on none that is known.
#[cfg(target_os = "linux")]
pub(super) fn network(path: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(path).ok()?;
    by_magic(u32::try_from(found.f_type).ok()?)
}

/// The network file system that `path`, which exists, is on; `None` where it is on none that is known.
#[cfg(not(target_os = "linux"))]
pub(super) fn network(path: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(path).ok()?;
    let bytes = found.f_fstypename.iter().map(|c| c.to_ne_bytes()[0]);
    let name: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    by_name(std::str::from_utf8(&name).ok()?)
}

/// As `statfs(2)` and the kernel's `linux/magic.h` list them.
#[cfg(target_os = "linux")]
fn by_magic(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x0000_6969 => "NFS",
        0x0000_517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x0102_1997 => "9P",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x7375_7245 => "Coda",
        // Also of this machine's own; which program serves it is not told.
        0x6573_5546 => "FUSE",
        _ => return None,
    })
}

/// As `mount` lists them on macOS.
#[cfg(any(not(target_os = "linux"), test))]
fn by_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "nfs" => "NFS",
        "smbfs" | "cifs" => "SMB",
        "afpfs" => "AFP",
        "webdav" => "WebDAV",
        "ftp" => "FTP",
        "macfuse" | "osxfuse" | "fuse-t" | "fusefs" => "FUSE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn magic_table() {
        for (magic, want) in [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("SMB")),
            (0x6573_5546, Some("FUSE")),
            // ext4, tmpfs, Btrfs, overlayfs
            (0xef53, None),
            (0x0102_1994, None),
            (0x9123_683e, None),
            (0x794c_7630, None),
        ] {
            assert_eq!(by_magic(magic), want, "{magic:x}");
        }
    }

    #[test]
    fn name_table() {
        for (name, want) in [
            ("nfs", Some("NFS")),
            ("smbfs", Some("SMB")),
            ("macfuse", Some("FUSE")),
            ("apfs", None),
            ("hfs", None),
            ("", None),
        ] {
            assert_eq!(by_name(name), want, "{name}");
        }
    }

    /// Which kind it is depends on the machine; one of the kernel's own is never one.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_which_one_a_path_is_on() {
        assert_eq!(network(Path::new("/proc")), None);
        assert_eq!(network(Path::new("/no/such/file")), None);
    }
}
