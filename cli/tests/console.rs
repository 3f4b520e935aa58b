//! `topo console` and `topo metadata`: piped, and on a terminal. What is printed is what Terraform
//! 1.11 prints for the same expressions, except where OpenTofu 1.11 is followed: every line's
//! result is printed, and an open bracket goes on in the next line.

mod common;

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use common::{Project, Run};
use nix::pty::{Winsize, openpty};

const MAIN: &str = r#"
variable "name" {
  type    = string
  default = "Ada"
}
variable "later" {
  type = list(string)
}
variable "secret" {
  type      = object({ key = string })
  default   = { key = "hidden" }
  sensitive = true
}
locals {
  numbers = [1, 2]
  mixed   = { key = var.secret.key, n = length(local.numbers) }
}
resource "terraform_data" "one" {
  input = "in"
}
resource "terraform_data" "many" {
  count = 2
  input = count.index
}
resource "terraform_data" "each" {
  for_each = toset(["a", "b"])
  input    = each.key
}
module "child" {
  source = "./child"
  count  = 2
  index  = count.index
}
output "id" {
  value = terraform_data.one.id
}
"#;

const CHILD: &str = r#"
variable "index" {}
resource "terraform_data" "inner" {
  input = "inner"
}
output "index" {
  value = var.index
}
output "inner" {
  value = terraform_data.inner.output
}
"#;

fn project() -> Project {
    let project = Project::with(&[("main.tf", MAIN)]);
    std::fs::create_dir(project.path().join("child")).unwrap();
    std::fs::write(project.path().join("child/main.tf"), CHILD).unwrap();
    project
}

fn pipe(project: &Project, args: &[&str], input: &str) -> Run {
    let mut command = project.command(&[&["console"], args].concat());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A console that has found a mistake does not read on.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Run::of(child.wait_with_output().unwrap())
}

#[track_caller]
fn table(project: &Project, rows: &[(&str, &str)]) {
    let mut input = String::new();
    let mut expected = String::new();
    for (expression, result) in rows {
        input.push_str(&format!("{expression}\n"));
        expected.push_str(&format!("{result}\n"));
    }
    let run = pipe(project, &[], &input).expect(0);
    assert_eq!(run.stdout, expected);
    assert_eq!(run.stderr, "");
}

#[test]
fn values_before_anything_is_applied() {
    let project = project();
    table(
        &project,
        &[
            ("1 + 1", "2"),
            ("\"a\\nb\"", "<<EOT\na\nb\nEOT"),
            ("var.name", "\"Ada\""),
            ("var.later", "(known after apply)"),
            ("var.secret", "(sensitive value)"),
            (
                "local.mixed",
                "{\n  \"key\" = (sensitive value)\n  \"n\" = 2\n}",
            ),
            ("terraform_data.one", "(known after apply)"),
            ("terraform_data.one.id", "(known after apply)"),
            ("terraform_data.many", "(known after apply)"),
            ("terraform_data.many[0].id", "(known after apply)"),
            ("terraform_data.each[\"a\"]", "(known after apply)"),
            ("module.child[1].index", "1"),
            (
                "module.child[*]",
                "[\n  {\n    \"index\" = 0\n    \"inner\" = (known after apply)\n  },\n  {\n    \"index\" = 1\n    \"inner\" = (known after apply)\n  },\n]",
            ),
            ("tolist([\"a\"])", "tolist([\n  \"a\",\n])"),
            ("tostring(null)", "tostring(null)"),
            (
                "type(local.numbers)",
                "tuple([\n    number,\n    number,\n])",
            ),
            ("type(var.later)", "list(string)"),
            ("path.module", "\".\""),
            ("terraform.workspace", "\"default\""),
            ("length(uuid())", "36"),
            ("length(timestamp())", "20"),
            ("provider::terraform::encode_expr([1])", "\"[1]\""),
            (
                "provider::aws::arn_parse(\"arn:aws:iam::1:role/x\").resource",
                "\"role/x\"",
            ),
            ("", ""),
        ],
    );
    assert!(!project.path().join(".topo").exists());
}

#[test]
fn expressions_of_several_lines() {
    table(
        &project(),
        &[
            ("[1,\n\n  2]", "[\n  1,\n  2,\n]"),
            ("{\n  a = 1 # {\n  b = 2\n}.b", "2"),
            ("upper(<<EOT\na [\n  b\nEOT\n)", "<<EOT\nA [\n  B\n\nEOT"),
            ("<<-EOT\n    a\n      b\n  EOT", "<<EOT\na\n  b\n\nEOT"),
            ("1 + \\\n2", "3"),
            ("\"${\n1}\"", "1"),
            ("/* [\n*/ 4", "4"),
        ],
    );
}

#[test]
fn values_of_the_state() {
    let project = project();
    project
        .topo(&["apply", "-auto-approve", "-var", "later=[]"])
        .expect(0);
    let before = project.topo(&["show", "-json"]).stdout;
    table(
        &project,
        &[
            ("terraform_data.one.output", "\"in\""),
            ("terraform_data.many[*].output", "[\n  0,\n  1,\n]"),
            (
                "[for k, v in terraform_data.each : \"${k}${v.output}\"]",
                "[\n  \"aa\",\n  \"bb\",\n]",
            ),
            ("module.child[0].inner", "\"inner\""),
            ("length(terraform_data.one.id)", "36"),
        ],
    );
    let after = project.topo(&["show", "-json"]).stdout;
    assert_eq!(after, before, "the console changed something");
    // What only the configuration has is not known yet; what only the state has is still there.
    let grown = MAIN.replace("count = 2\n  input", "count = 3\n  input");
    std::fs::write(project.path().join("main.tf"), grown).unwrap();
    table(
        &project,
        &[
            ("terraform_data.many[2].output", "(known after apply)"),
            ("terraform_data.many[1].output", "1"),
        ],
    );
}

#[test]
fn variables_come_from_where_they_always_come_from() {
    let mut project = project();
    std::fs::write(project.path().join("x.auto.tfvars"), "name = \"file\"\n").unwrap();
    assert_eq!(pipe(&project, &[], "var.name\n").stdout, "\"file\"\n");
    let run = pipe(&project, &["-var", "name=flag"], "var.name\n");
    assert_eq!(run.stdout, "\"flag\"\n");
    let run = pipe(&project, &["-var", "nme=flag"], "1\n").expect(1);
    assert!(run.stderr.contains("undeclared variable"), "{}", run.stderr);
    project.environment = vec![("TF_VAR_later", "[\"env\"]".into())];
    let run = pipe(&project, &[], "var.later[0]\n");
    assert_eq!(run.stdout, "\"env\"\n");
}

#[test]
fn the_first_mistake_is_the_end() {
    let project = project();
    for (input, stdout, stderr) in [
        ("1\nnope.x\n2\n", "1\n", "Reference to undeclared resource"),
        ("var.nam\n", "", "Did you mean \"name\"?"),
        ("local.x\n", "", "has not been declared"),
        ("module.child[0].x\n", "", "no output named \"x\""),
        ("1 +\n", "", "Invalid syntax"),
        ("\"a\n", "", "Unterminated string"),
        ("[1,\n", "", "Unclosed configuration block or bracket"),
        ("abs(\"x\")\n", "", "Invalid function argument"),
        ("terraform_data.one.nope\n", "", "Unsupported attribute"),
        (
            "provider::aws::arn_pars(\"x\")\n",
            "",
            "Did you mean \"arn_parse\"?",
        ),
        ("provider::nope::f()\n", "", "knows no provider \"nope\""),
        ("each.key\n", "", "each.key"),
    ] {
        let run = pipe(&project, &[], input).expect(1);
        assert_eq!(run.stdout, stdout, "{input}");
        // Without the line breaks that a frame of this width makes.
        let shown = run.stderr.replace("\n│ ", " ");
        assert!(shown.contains(stderr), "{input}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
    let run = pipe(&project, &[], "1 + nope.x\n");
    let excerpt = "on <console-input> line 1, column 5:\n│     1: 1 + nope.x\n│            ^^^^^^";
    assert!(run.stderr.contains(excerpt), "{}", run.stderr);
}

#[test]
fn leaving_help_and_an_empty_directory() {
    let project = Project::empty();
    let run = pipe(&project, &[], "1\nexit\n2\n").expect(0);
    assert_eq!(run.stdout, "1\n");
    let run = pipe(&project, &[], " help \n").expect(0);
    assert!(run.stdout.contains("exit"), "{}", run.stdout);
    assert_eq!(pipe(&project, &[], "").expect(0).stdout, "");
    assert_eq!(pipe(&project, &[], "1").expect(0).stdout, "1\n");
    assert_eq!(project.files().len(), 0);
}

#[test]
fn mistakes_of_the_configuration_are_shown() {
    let project = Project::with(&[("main.tf", "locals { a = b }\n")]);
    let run = pipe(&project, &[], "1\n").expect(1);
    assert!(run.stderr.contains("main.tf line 1"), "{}", run.stderr);
    // What is wrong with a value is no reason not to look at the others.
    let text = "variable \"n\" {\n  default = 5\n  validation {\n    condition     = var.n < 3\n    error_message = \"Too big.\"\n  }\n}\n";
    let project = Project::with(&[("main.tf", text)]);
    let run = pipe(&project, &[], "var.n + 1\n").expect(0);
    assert_eq!(run.stdout, "6\n");
    assert!(run.stderr.contains("Too big."), "{}", run.stderr);
    assert!(run.stderr.contains("unexpected results"), "{}", run.stderr);
}

#[test]
fn signatures_of_all_functions() {
    let project = Project::empty();
    let json = project
        .topo(&["metadata", "functions", "-json"])
        .expect(0)
        .json();
    assert_eq!(json["format_version"], "1.0");
    let all = json["function_signatures"].as_object().unwrap();
    assert_eq!(all["abs"], all["core::abs"]);
    assert_eq!(all["abs"]["return_type"], "number");
    assert_eq!(all["abs"]["parameters"][0]["name"], "num");
    for name in ["try", "can", "templatefile"] {
        assert!(all.contains_key(name), "{name}");
    }
    let schemas = project
        .topo(&["providers", "schema", "-json"])
        .expect(0)
        .json();
    let of = |source: &str| schemas["provider_schemas"][source]["functions"].clone();
    let terraform = of("terraform.io/builtin/terraform");
    assert_eq!(terraform["decode_tfvars"]["return_type"], "dynamic");
    let aws = of("registry.terraform.io/hashicorp/aws");
    assert_eq!(aws["arn_build"]["parameters"].as_array().unwrap().len(), 5);
    assert!(of("registry.terraform.io/hashicorp/null").is_null());
}

/// A console on a terminal of its own.
struct Terminal {
    child: Child,
    input: std::fs::File,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// What of the screen was looked at.
    seen: usize,
}

#[derive(Default)]
struct Screen {
    text: String,
    closed: bool,
}

impl Terminal {
    fn open(project: &Project) -> Terminal {
        let size = Winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).unwrap();
        let end = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        let child = project
            .command(&["console"])
            .env("TERM", "xterm")
            .stdin(end(&pty.slave))
            .stdout(end(&pty.slave))
            .stderr(end(&pty.slave))
            .spawn()
            .unwrap();
        drop(pty.slave);
        let input = std::fs::File::from(pty.master);
        let mut output = input.try_clone().unwrap();
        let screen: Arc<(Mutex<Screen>, Condvar)> = Arc::default();
        let shared = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // Reading fails when the other side is gone.
                let read = output.read(&mut buffer).unwrap_or(0);
                let mut screen = shared.0.lock().unwrap();
                screen.closed = read == 0;
                let text = String::from_utf8_lossy(&buffer[..read]);
                screen.text.push_str(&text);
                shared.1.notify_all();
                if read == 0 {
                    break;
                }
            }
        });
        let mut terminal = Terminal {
            child,
            input,
            screen,
            seen: 0,
        };
        terminal.ready();
        terminal
    }

    /// Waits until the next expression can be typed: the prompt alone, the cursor behind it.
    #[track_caller]
    fn ready(&mut self) {
        self.expect("> \r\u{1b}[2C");
    }

    /// Types an expression, waits for its result and for the next prompt.
    #[track_caller]
    fn enter(&mut self, keys: &str, expected: &str) {
        self.press(keys, expected);
        self.ready();
    }

    /// Presses keys, and waits for what is to be seen then.
    #[track_caller]
    fn press(&mut self, keys: &str, expected: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.expect(expected);
    }

    #[track_caller]
    fn expect(&mut self, expected: &str) {
        let (screen, changed) = &*self.screen;
        let seen = self.seen;
        let found = |s: &Screen| s.text.get(seen..).and_then(|t| t.find(expected));
        let (screen, _) = changed
            .wait_timeout_while(screen.lock().unwrap(), Duration::from_secs(30), |s| {
                found(s).is_none() && !s.closed
            })
            .unwrap();
        match found(&screen) {
            Some(at) => self.seen += at + expected.len(),
            None => panic!("no {expected:?} in {:?}", &screen.text[seen..]),
        }
    }

    fn end(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

#[test]
fn a_conversation_on_a_terminal() {
    let project = project();
    let mut terminal = Terminal::open(&project);
    terminal.enter("1 + 2\r", "\r\n3\r\n");
    // Several lines until the bracket closes.
    terminal.press("[1,\r", "[1,");
    terminal.enter("2]\r", "\r\n[\r\n  1,\r\n  2,\r\n]\r\n");
    // A name that can only be one is completed, of several all are shown.
    terminal.press("var.na\t", "var.name");
    terminal.enter("\r", "\r\n\"Ada\"\r\n");
    terminal.press("terraform_data.one.\t\t", "triggers_replace");
    // Ctrl-C drops the line and an open bracket with it.
    terminal.press("[\r", "terraform_data.one.[");
    terminal.press("\u{3}", "\r\n");
    terminal.ready();
    terminal.press("upp\t", "upper(");
    terminal.enter("\"x\")\r", "\r\n\"X\"\r\n");
    // A mistake is shown and is not the end.
    terminal.enter("nope.x\r", "Reference to undeclared resource");
    terminal.press("\u{1b}[A\u{1b}[A", "upper(\"x\")");
    terminal.enter("\r", "\r\n\"X\"\r\n");
    // What a value holds cannot reach the terminal.
    terminal.enter("\"\\u001b[31m\\n\"\r", "<<EOT\r\n\\u001b[31m\r\n");
    terminal.press("exit\r", "exit");
    assert_eq!(terminal.end(), 0);

    let history = project.path().join(".local/state/topo/history");
    let text = std::fs::read_to_string(history).unwrap();
    assert!(text.contains("var.name\n"), "{text}");
    // The next conversation remembers, and Ctrl-D leaves.
    let mut terminal = Terminal::open(&project);
    terminal.press("\u{1b}[A\u{1b}[A\u{1b}[A", "upper(\"x\")");
    terminal.press("\u{3}", "\r\n");
    terminal.ready();
    terminal.enter("1 + 1\r", "\r\n2\r\n");
    terminal.input.write_all(b"\x04").unwrap();
    assert_eq!(terminal.end(), 0);
}

#[test]
fn history_that_cannot_be_kept_is_no_reason_to_fail() {
    let mut project = project();
    std::fs::write(project.path().join("file"), "").unwrap();
    let nowhere = project.path().join("file").display().to_string();
    project.environment = vec![("XDG_STATE_HOME", nowhere)];
    let mut terminal = Terminal::open(&project);
    terminal.press("1 + 2\r", "\r\n3\r\n");
    terminal.press("exit\r", "exit");
    assert_eq!(terminal.end(), 0);
}
