//! Flags that are on or off, in the three forms that the peers know: `-lock`, `-lock=true` and
//! `-lock=false`.

use clap::builder::{BoolishValueParser, TypedValueParser};
use clap::{Arg, ArgAction, Command};

/// What makes a switch of an argument; in the definition of a command `#[arg(long, switch = true)]`.
pub trait Switch {
    /// On or off, and this where it is not given. A value is joined by `=`, so that what follows
    /// the flag is never taken for it; `1`, `t` and their like are read as the peers read them.
    #[must_use]
    fn switch(self, default: bool) -> Self;
}

impl Switch for Arg {
    fn switch(self, default: bool) -> Arg {
        self.value_name("BOOL")
            .value_parser(BoolishValueParser::new())
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value(if default { "true" } else { "false" })
            .default_missing_value("true")
    }
}

/// What the value of a switch says; `None` when it is none.
pub fn truth(value: &str) -> Option<bool> {
    let any = Command::new("");
    let read = BoolishValueParser::new().parse_ref(&any, None, value.as_ref());
    read.ok()
}
