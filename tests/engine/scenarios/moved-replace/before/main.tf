resource "test_thing" "a" {
  name = "a"
  zone = "x"
}

resource "test_thing" "z" {
  name = "z"
  note = test_thing.a.id
}
