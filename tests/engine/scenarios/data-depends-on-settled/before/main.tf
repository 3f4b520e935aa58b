resource "test_thing" "z" {
  name = "z"
}
