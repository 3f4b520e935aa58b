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
}

resource "test_thing" "c" {
  name = "c"
  note = test_thing.a.id
}

resource "test_thing" "d" {
  name = "d"
}
