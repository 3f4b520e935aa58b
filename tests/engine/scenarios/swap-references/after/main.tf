resource "test_thing" "a" {
  name = "a"
  note = test_thing.b.id
}

resource "test_thing" "b" {
  name = "b"
  note = "free"
}
