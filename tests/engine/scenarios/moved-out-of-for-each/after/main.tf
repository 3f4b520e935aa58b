resource "test_thing" "a" {
  name = "a-x"
}

moved {
  from = test_thing.a["x"]
  to   = test_thing.a
}
