resource "test_thing" "host" {
  name = "host"
}
