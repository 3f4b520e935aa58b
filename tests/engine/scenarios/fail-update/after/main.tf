resource "test_thing" "a" {
  name = "a"
  size = 1
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a.id
  size = 1
}

resource "test_thing" "c" {
  name = "c"
}
