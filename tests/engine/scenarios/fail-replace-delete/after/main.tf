resource "test_thing" "a" {
  name = "a"
  zone = "y"
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a.id
}
