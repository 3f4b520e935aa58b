//! Provisioners in the sandbox: nothing outside is touched, so they say what they would do.

use std::sync::Arc;

use async_trait::async_trait;
use topo_sdk::json::to_json;
use topo_sdk::{Diagnostics, Output, ProvisionFailure, Provisioner, Schema, Value};

/// A provisioner that is never carried out: its output is the arguments that it was given.
/// Arguments are checked as the real one checks them.
pub fn simulate_provisioner(real: Arc<dyn Provisioner>) -> Arc<dyn Provisioner> {
    Arc::new(Simulated(real))
}

struct Simulated(Arc<dyn Provisioner>);

#[async_trait]
impl Provisioner for Simulated {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn schema(&self) -> Arc<Schema> {
        self.0.schema()
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        self.0.validate(config)
    }

    async fn run(&self, config: &Value, output: &Output<'_>) -> Result<(), ProvisionFailure> {
        for (name, value) in config.as_map().into_iter().flatten() {
            if !value.is_null() {
                output(&format!("{name} = {}", to_json(value)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use topo_sdk::{Attribute, Block, Type};

    use super::*;

    struct Forbidden;

    #[async_trait]
    impl Provisioner for Forbidden {
        fn name(&self) -> &'static str {
            "forbidden"
        }

        fn schema(&self) -> Arc<Schema> {
            let block = Block::new().attr("command", Attribute::required(Type::String));
            Arc::new(Schema::new(block))
        }

        async fn run(&self, _config: &Value, _output: &Output<'_>) -> Result<(), ProvisionFailure> {
            Err(ProvisionFailure::new("it was carried out"))
        }
    }

    #[tokio::test]
    async fn a_provisioner_is_not_carried_out_and_says_what_it_would_do() {
        let simulated = simulate_provisioner(Arc::new(Forbidden));
        assert_eq!(simulated.name(), "forbidden");
        assert!(simulated.is_simulated());
        let lines = Mutex::new(Vec::new());
        let note = |line: &str| lines.lock().unwrap().push(line.to_string());
        let config = Value::object([
            ("command", Value::string("rm -rf \"/\"")),
            ("working_dir", Value::null(Type::String)),
        ]);
        assert_eq!(simulated.run(&config, &note).await, Ok(()));
        assert_eq!(
            lines.into_inner().unwrap(),
            ["command = \"rm -rf \\\"/\\\"\""]
        );
    }
}
