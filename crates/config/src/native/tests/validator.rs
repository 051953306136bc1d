//! Our JSON Schema in a validator that knows nothing of us.

use boon::{Compiler, SchemaIndex, Schemas, ValidationError};
use serde_json::Value;

const NAME: &str = "cluster.schema.json";

pub(crate) struct Validator {
    schemas: Schemas,
    schema: SchemaIndex,
}

impl Validator {
    pub(crate) fn new(schema: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(NAME, schema).unwrap();
        let schema = compiler.compile(NAME, &mut schemas).unwrap();
        Self { schemas, schema }
    }

    /// The places that a YAML text is refused at, as JSON pointers, and why; none when it fits.
    pub(crate) fn refusals(&self, text: &str) -> Vec<(String, String)> {
        // As YAML 1.2 has it: `on` and `off` are text.
        let options = serde_yaml::options! { strict_booleans: true };
        let Ok(value) = serde_yaml::from_str_with_options::<Value>(text, options) else {
            return vec![(String::new(), "no YAML".into())];
        };
        let mut found = Vec::new();
        if let Err(error) = self.schemas.validate(&value, self.schema) {
            leaves(&error, &mut found);
        }
        found
    }
}

/// What is at the bottom of an error.
fn leaves(error: &ValidationError<'_, '_>, found: &mut Vec<(String, String)>) {
    if error.causes.is_empty() {
        found.push((error.instance_location.to_string(), error.kind.to_string()));
    }
    error.causes.iter().for_each(|cause| leaves(cause, found));
}
