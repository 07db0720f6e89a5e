//! The independent judge.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The judge as a process of its own, asked line by line.
pub struct Judge {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    pub fn start() -> Judge {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge/judge.py");
        let mut process = Command::new("python3")
            .arg("-B")
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is not installed; ./tests/run installs it");
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Judge {
            process,
            questions,
            answers,
        }
    }

    pub fn judge(&mut self, world: &Value) -> Value {
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{world}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).expect("the judge answers; see its words above")
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It ends with its input.
        self.questions = None;
        let _ = self.process.wait();
    }
}
