//! A command, run as if syncmon were not there: its exit code, its streams and its signals pass through.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use super::tail::Tail;

/// How long what a command has written may take to arrive after its end. A daemon that it leaves behind could hold
/// the stream for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A command to be run.
pub struct Job {
    pub program: std::ffi::OsString,
    pub arguments: Vec<std::ffi::OsString>,
    /// The file in which it may tell of its result.
    pub result_file: Option<std::path::PathBuf>,
    /// Whether the end of its standard error is kept.
    pub keeps_output: bool,
}

/// How a command ended.
pub enum Ending {
    /// With what was kept of its standard error.
    Ended {
        status: ExitStatus,
        errors: String,
    },
    NotStarted(std::io::Error),
}

/// Runs the command to its end.
pub fn carry_out(job: &Job) -> Ending {
    let mut command = Command::new(&job.program);
    command.args(&job.arguments);
    if let Some(file) = &job.result_file {
        command.env("SYNCMON_RESULT", file);
    }
    if job.keeps_output {
        command.stderr(Stdio::piped());
    }
    // From before the command is there, so that none is missed.
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ending::NotStarted(error),
    };
    let forwarding = signals.ok().map(|signals| forward(signals, &child));
    let tail = Arc::new(Mutex::new(Tail::default()));
    let written = pass_on(&mut child, &tail);
    let ended = child.wait();
    if let Some(handle) = forwarding {
        handle.close();
    }
    if let Some(written) = written {
        let _ = written.recv_timeout(LAST_WORDS);
    }
    match ended {
        Ok(status) => Ending::Ended {
            status,
            errors: tail.lock().unwrap_or_else(PoisonError::into_inner).text(),
        },
        Err(error) => Ending::NotStarted(error),
    }
}

/// Copies what the command writes to standard error, and keeps its end. Says when there is no more.
fn pass_on(child: &mut Child, tail: &Arc<Mutex<Tail>>) -> Option<Receiver<()>> {
    let mut from = child.stderr.take()?;
    let tail = Arc::clone(tail);
    let (done, written) = channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..length];
            tail.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(bytes);
            // Whoever listens may have gone; the command need not know.
            let _ = std::io::stderr().write_all(bytes);
        }
        let _ = done.send(());
    });
    Some(written)
}

/// Hands every signal on to the command, but those that the terminal has sent to both.
fn forward(mut signals: Signals, child: &Child) -> signal_hook::iterator::Handle {
    let handle = signals.handle();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    std::thread::spawn(move || {
        for number in signals.forever() {
            let from_terminal = matches!(number, SIGINT | SIGQUIT) && in_the_foreground();
            if let (Some(pid), Some(signal), false) =
                (pid, Signal::from_named_raw(number), from_terminal)
            {
                let _ = kill_process(pid, signal);
            }
        }
    });
    handle
}

/// Whether this process and its children are what a terminal's keys interrupt.
fn in_the_foreground() -> bool {
    std::fs::File::open("/dev/tty")
        .ok()
        .and_then(|terminal| tcgetpgrp(&terminal).ok())
        == Some(getpgrp())
}

/// "exit code 3", "killed by signal 9 (SIGKILL)"; `None` of a success.
pub fn trouble(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit code {code}")),
        (None, Some(signal)) => Some(format!(
            "killed by signal {signal} ({})",
            signal_hook::low_level::signal_name(signal).unwrap_or("without a name")
        )),
        (None, None) => Some("ended without an exit code".to_owned()),
    }
}
