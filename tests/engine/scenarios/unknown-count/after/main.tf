resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  count = test_thing.a.revision
  name = "b"
}
