data "test_lookup" "l" {
  name = "l"
  lifecycle {
    postcondition {
      condition     = self.found == "x"
      error_message = "Not so."
    }
  }
}

resource "test_thing" "a" {
  name = "a"
  note = data.test_lookup.l.found
}
