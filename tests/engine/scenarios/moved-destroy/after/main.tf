resource "test_thing" "b" {
  name = "a"
}

moved {
  from = test_thing.a
  to   = test_thing.b
}
