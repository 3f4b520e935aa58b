//! Runs the tests that modules are written with: `.tftest.hcl` and `.tofutest.hcl`.
