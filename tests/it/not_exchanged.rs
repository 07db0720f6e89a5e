//! Publishing where two directories cannot be exchanged, or nothing can be written at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::folders::{
    LATER, MANIFEST, assert_one_line, build_into, build_where, files, inode, mounted_site, names,
    seen, world,
};
use crate::sandbox::NOW;
use crate::wrapped::{Mounted, ended, unprivileged};

#[test]
fn a_mount_point_is_published_file_by_file() {
    for kind in ["tmpfs", "bind"] {
        let world = world();
        let mount = mounted_site(&world, kind);
        let site = seen(&world, Some(&mount));
        let first = build_where(&world, Some(&mount), NOW);
        assert_eq!(first.code, 0, "{kind}: {first:?}");
        assert_one_line(&first, "published file by file");
        let directory = inode(&site);
        let second = build_where(&world, Some(&mount), LATER);
        let said = (second.code, second.stderr.as_str());
        assert_eq!(said, (0, ""), "{kind}: it was said once");
        assert_eq!(inode(&site), directory);

        // What is there is what is published where directories can be exchanged.
        world.succeeds(&build_into("other", LATER));
        let mut mounted = files(&site);
        mounted.retain(|name, _| name != ".syncmon/lock");
        let mut exchanged = files(&world.path("other"));
        for manifest in [mounted.remove(MANIFEST), exchanged.remove(MANIFEST)] {
            assert!(manifest.is_some());
        }
        assert_eq!(mounted, exchanged, "{kind}");
    }
}

#[test]
fn a_parent_that_may_not_be_written_to_leads_to_file_by_file_inside() {
    let world = world();
    fs::create_dir_all(world.path("closed/site")).unwrap();
    let build = |moment| {
        let arguments = build_into("closed/site", moment);
        let mut command = unprivileged(&world, &arguments);
        fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
        ended(&mut command)
    };
    let first = build(NOW);
    assert_eq!(first.code, 0, "{first:?}");
    assert_one_line(&first, "its parent is not writable");
    let second = build(LATER);
    assert_eq!((second.code, second.stderr.as_str()), (0, ""));
    assert!(world.path("closed/site/index.html").is_file());
    assert_eq!(names(&world.path("closed")), ["site"]);
    fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn where_nothing_may_be_written_the_old_site_stays_whole() {
    let world = world();
    fs::create_dir_all(world.path("closed/site")).unwrap();
    let close = |mode| {
        for folder in ["closed/site", "closed"] {
            fs::set_permissions(world.path(folder), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let first = ended(&mut unprivileged(&world, &build_into("closed/site", NOW)));
    assert_eq!(first.code, 0, "{first:?}");
    let mut before = files(&world.path("closed"));
    fs::remove_dir_all(world.path("closed/.site.syncmon")).unwrap();
    close(0o555);
    for out in ["closed/site", "closed/new"] {
        let refused = ended(&mut unprivileged(&world, &build_into(out, LATER)));
        assert_eq!(refused.code, 1, "{refused:?}");
        assert_one_line(&refused, "Permission denied");
    }
    close(0o755);
    before.retain(|name, _| name.starts_with("site/"));
    assert_eq!(files(&world.path("closed")), before);
}

#[test]
fn a_read_only_file_system_leaves_the_old_site_whole() {
    let world = world();
    fs::create_dir(world.path("disk")).unwrap();
    world.succeeds(&build_into("disk/site", NOW));
    let before = files(&world.path("disk"));
    let mount = Mounted::new(&world, "--bind disk disk && mount -o remount,ro,bind disk");
    let ended = ended(&mut mount.wrap(&world.command(&build_into("disk/site", LATER))));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_one_line(&ended, "Read-only file system");
    assert_eq!(files(&world.path("disk")), before);
}
