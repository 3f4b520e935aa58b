resource "test_thing" "a" {
  count = 2
  name = "a${count.index}"
  size = 1
}

resource "test_thing" "b" {
  name = "b"
  size = 1
}
