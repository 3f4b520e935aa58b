resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "c" {
  name = "c"
  note = "free"
}

resource "test_thing" "d" {
  name = "d"
  size = 1
}
