resource "test_thing" "a" {
  name = "a"
  lifecycle {
    precondition {
      condition     = test_thing.b.revision > 99
      error_message = "Not so."
    }
  }
}

resource "test_thing" "b" {
  name = "b"
  size = 1
}

resource "test_thing" "c" {
  name = "c"
  note = test_thing.a.id
}
