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
  note = test_thing.b.id
  size = 1
}

resource "test_thing" "d" {
  name = "d"
  size = 1
}
