resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  name = "b"
}

resource "test_thing" "c" {
  name = "c"
  note = test_thing.b.id
}

resource "test_thing" "d" {
  name = "d"
  note = test_thing.c.id
}
