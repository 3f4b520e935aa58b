resource "test_thing" "a" {
  name = "a"
  size = 1
}

resource "test_thing" "b" {
  name = "b"
  size = 1
}
