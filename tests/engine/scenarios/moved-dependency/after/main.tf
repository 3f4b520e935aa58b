resource "test_thing" "b" {
  name = "a"
}

resource "test_thing" "z" {
  name = "z"
  note = test_thing.b.id
}

moved {
  from = test_thing.a
  to   = test_thing.b
}
