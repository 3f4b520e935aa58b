resource "test_thing" "a" {
  count = 2
  name = "a${count.index}"
}

resource "test_thing" "b" {
  name = "b"
}
