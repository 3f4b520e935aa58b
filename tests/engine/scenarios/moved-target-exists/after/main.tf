resource "test_thing" "b" {
  name = "b"
}

moved {
  from = test_thing.a
  to   = test_thing.b
}
