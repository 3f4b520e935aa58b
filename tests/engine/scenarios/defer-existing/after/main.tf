resource "test_thing" "a" {
  name = "a"
  size = 1
}

resource "test_thing" "b" {
  count = test_thing.a.revision > 0 ? 1 : 0
  name = "b"
}
