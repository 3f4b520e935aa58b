resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a.id
}

resource "test_thing" "c" {
  name = "c"
  note = test_thing.b.id
}

resource "test_thing" "d" {
  name = "d"
}
