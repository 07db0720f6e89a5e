//! A fault in the program itself. Alone in its program, since what happens to a panic concerns the
//! whole process.

use std::panic::catch_unwind;

#[test]
fn a_panic_becomes_one_line_without_secrets() {
    syncmon::commands::remember_faults();
    let text = "cannot use postgres://ro:S3cretPw@db.example.org/app nor password=S3cretPw";
    let caught = catch_unwind(|| panic!("{text}\nsecond line"));
    assert!(caught.is_err());
    let fault = syncmon::commands::take_fault().to_string();
    assert!(!fault.contains("S3cretPw"), "{fault}");
    let start = "a fault in syncmon itself: cannot use [masked";
    assert!(fault.starts_with(start), "{fault}");
    assert!(fault.contains("(tests/fault.rs:"), "{fault}");
    assert!(fault.contains("please report this"), "{fault}");
}
