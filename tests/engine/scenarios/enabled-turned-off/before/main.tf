resource "test_thing" "a" {
  name = "a"
  lifecycle {
    enabled = true
  }
}

resource "test_thing" "b" {
  name = "b"
  note = try(test_thing.a.name, "none")
}
