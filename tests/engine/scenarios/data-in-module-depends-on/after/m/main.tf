data "test_lookup" "l" {
  name = "l"
}
