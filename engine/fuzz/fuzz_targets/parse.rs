//! The parser wrapper: any text as a file of either syntax.

#![no_main]

use libfuzzer_sys::fuzz_target;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::structure::Parsed;
use topo_sdk::Diagnostics;

fuzz_target!(|text: &str| {
    for name in ["fuzz.tf", "fuzz.tf.json"] {
        let file = SourceFile::new(name, text.to_string());
        if let Ok(parsed) = Parsed::new(file) {
            let mut diagnostics = Diagnostics::new();
            let blocks = [("resource", Some(2)), ("dynamic", Some(1)), ("locals", Some(0))];
            let content = parsed.body(&mut diagnostics).content(&blocks, &mut diagnostics);
            for attribute in &content.attributes {
                attribute.value.expression(&[], &mut diagnostics);
            }
            for block in &content.blocks {
                let inner = block.body.content(&blocks, &mut diagnostics);
                for attribute in &inner.attributes {
                    attribute.value.expression(&[], &mut diagnostics);
                }
            }
        }
    }
});
