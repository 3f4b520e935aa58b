resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  count = 1
  name = "b"
}
