data "test_lookup" "l" {
  name = "l"
  depends_on = [test_thing.z]
}

resource "test_thing" "z" {
  name = "z"
}
