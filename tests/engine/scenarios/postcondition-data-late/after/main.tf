resource "test_thing" "z" {
  name = "z"
}

data "test_lookup" "l" {
  name = test_thing.z.id
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
