//! Stamping the suite out for a store.

/// Stamps out one test for each behaviour of the conformance suite.
///
/// The argument is called without arguments and answers a future of an
/// [`Arc<dyn Storage>`](crate::storage::Storage) made for [`schema()`](crate::storage::conformance::schema). It is
/// called anew for each test, and may well open the same database every time. The crate that stamps needs
/// `tokio` with the features `macros` and `rt-multi-thread`.
///
/// ```
/// use std::sync::Arc;
///
/// use helpdesk_core::storage::Storage;
/// use helpdesk_core::storage::conformance::{Oracle, schema};
///
/// async fn store() -> Arc<dyn Storage> {
///     Arc::new(Oracle::new(schema()))
/// }
///
/// helpdesk_core::conformance_suite!(store);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance_suite {
    ($store:expr $(,)?) => {
        $crate::conformance_suite! {
            @stamp $store;
            atomicity {
                the_batch_of_these_behaviours_succeeds_by_itself,
                a_wrong_version_leaves_nothing,
                an_update_of_nothing_leaves_nothing,
                an_insert_over_another_leaves_nothing,
                a_failed_delete_leaves_nothing,
                a_failed_requirement_leaves_nothing,
                a_taken_value_leaves_nothing,
                a_missing_reference_leaves_nothing,
                a_delete_of_what_is_referred_to_leaves_nothing,
                a_lost_lease_leaves_nothing,
                an_event_that_is_there_already_leaves_nothing,
                an_invalid_part_leaves_nothing,
                a_failed_batch_can_be_mended_and_committed,
            }
            bounds {
                a_batch_has_at_most_a_thousand_parts,
                a_batch_has_at_most_eight_mebibytes,
            }
            counters {
                a_series_begins_at_one_and_rises_by_one,
                each_series_counts_for_itself,
                each_scope_counts_for_itself,
                a_number_that_was_drawn_in_vain_is_drawn_again,
                numbers_take_the_place_of_their_marks,
                only_marks_of_the_batch_itself_are_replaced,
                a_value_made_of_a_number_is_unique_as_any_other,
                an_update_holds_numbers_as_an_insert_does,
                no_number_is_drawn_twice_or_left_out,
                numbers_of_many_digits_are_written_out,
            }
            events {
                an_event_is_logged_as_it_was_written,
                events_are_found_as_records_at_once,
                the_events_of_a_batch_stand_together_in_their_order,
                positions_rise_and_stay,
                a_piece_of_no_events_is_empty,
                a_waiting_reader_is_woken,
                an_event_is_logged_once,
                events_follow_the_versions_of_their_record,
                a_reader_alongside_the_committers_misses_nothing,
                bodies_of_events_are_kept,
            }
            filters {
                texts_compare_by_code_points,
                whole_numbers_compare_by_size,
                numbers_compare_by_size,
                minus_zero_is_zero,
                false_is_less_than_true,
                instants_compare_by_time,
                ids_compare_by_their_bytes,
                prefixes_are_taken_literally,
                sets_satisfy_what_any_element_does,
                sets_change_with_their_record,
                references_are_found_by,
                records_are_found_by_what_they_have_built_in,
                conditions_combine_without_a_third_outcome,
                a_filter_may_be_deep_and_wide,
                filters_follow_changes,
            }
            invalid {
                filters_fit_their_kind,
                orders_fit_their_kind,
                a_page_is_not_larger_than_a_page,
                a_cursor_belongs_to_its_order,
                a_cursor_of_anywhere_is_only_a_place,
                tallies_fit_their_kind,
                a_store_knows_only_the_kinds_it_was_made_for,
                values_fit_their_fields,
                texts_hold_no_zero_character,
                texts_of_fields_are_not_too_long,
                a_record_is_written_once_in_a_batch,
                what_is_deleted_is_expected_to_be_there,
                what_is_required_is_said,
                jobs_and_events_are_not_written_as_records,
                only_inserts_of_events_are_logged,
            }
            jobs {
                a_job_is_handed_out_when_it_is_due,
                the_longest_due_comes_first,
                due_times_are_kept_to_the_microsecond,
                no_job_is_handed_to_two_workers,
                claims_and_commits_do_not_undo_each_other,
                work_enqueued_twice_is_done_once,
                keys_that_differ_are_different_jobs,
                a_waiting_job_can_be_moved,
                a_waiting_job_can_be_cancelled,
                changes_to_jobs_are_made_one_after_the_other,
                jobs_are_found_as_records,
                a_claimed_job_is_seen_to_be_leased,
                the_jobs_of_one_batch_are_as_many_as_it_may_have,
            }
            leases {
                work_that_is_done_is_not_kept,
                the_effect_of_work_commits_with_its_end,
                a_lease_that_lapsed_goes_to_the_next,
                a_lapsed_lease_holds_until_another_has_the_job,
                only_the_holder_ends_the_work,
                work_is_tried_again_when_it_is_told_to,
                work_that_was_given_up_stays_visible,
                work_that_was_given_up_is_taken_up_anew,
                work_enqueued_while_it_runs_is_done_once_more,
                work_moved_while_it_runs_is_done_once_more,
                work_asked_for_anew_is_not_given_up,
                work_that_was_cancelled_cannot_be_completed,
                work_can_enqueue_its_own_successor,
                a_reason_may_be_any_text,
                an_effect_happens_once_whoever_runs_it,
            }
            many {
                many_records_are_found_as_few_are,
                many_records_are_tallied_as_few_are,
            }
            modes {
                what_is_appended_is_never_changed,
                what_is_appended_can_be_deleted,
                a_quiet_kind_is_written_whatever_was_there,
                a_quiet_kind_can_be_written_with_a_version_too,
                a_quiet_record_is_deleted_whatever_its_version,
                a_quiet_kind_keeps_its_values_unique,
                other_kinds_name_what_they_expect,
            }
            numbers {
                numbers_rise_with_each_record,
                numbers_rise_within_a_batch,
                a_number_stays_with_its_record,
                the_number_of_a_deleted_record_is_not_given_again,
                a_record_is_found_by_its_number,
                numbers_follow_the_order_of_commits_that_overlap,
            }
            ordering {
                records_come_by_rising_number,
                null_comes_before_every_value,
                false_comes_before_true,
                ties_are_broken_by_number_in_the_direction_of_the_last_field,
                nothing_is_ordered_after_the_number,
                several_fields_order_one_after_the_other,
                records_are_ordered_by_what_they_have_built_in,
                an_order_holds_within_a_filter,
                an_order_follows_changes,
            }
            outcome {
                the_outcome_of_a_batch_is_what_it_was_answered,
                batches_of_every_sort_are_remembered,
                a_batch_that_never_was_has_no_outcome,
                a_batch_committed_twice_happens_once,
                a_batch_sent_many_times_at_once_happens_once,
            }
            paging {
                pages_follow_one_another,
                pages_lead_back,
                a_page_begins_after_any_record,
                pages_begin_at_an_offset,
                the_first_page_has_nothing_before_it_and_the_last_nothing_after,
                a_page_of_nothing_has_neither_records_nor_cursors,
                a_page_goes_on_where_a_deleted_record_was,
                a_page_goes_on_where_a_moved_record_was,
                records_that_come_in_between_appear_on_later_pages_only,
                a_place_among_nulls_is_a_place,
                a_page_may_hold_a_thousand,
            }
            periods {
                hours_when_the_clocks_go_forward,
                hours_when_the_clocks_go_back,
                days_begin_at_midnight_of_the_zone,
                weeks_begin_on_monday,
                months_are_those_of_the_zone,
                zones_need_not_be_whole_hours_away,
                what_has_no_time_falls_into_no_stretch,
                stretches_combine_with_fields_and_figures,
            }
            races {
                of_several_changes_to_one_version_one_is_made,
                no_change_is_lost_where_each_decides_again,
                of_two_that_require_what_the_other_changes_one_is_made,
                of_two_that_require_the_others_absence_one_is_made,
                a_guard_keeps_a_rule_over_many_records,
                of_several_that_take_one_value_one_has_it,
                of_several_inserts_of_one_id_one_is_made,
                nothing_is_left_referring_to_what_was_deleted,
                commits_that_cross_come_through,
                a_batch_is_seen_whole_or_not_at_all,
                a_page_and_its_total_are_of_one_state,
                a_commit_that_was_answered_is_seen_by_all_reads_after_it,
            }
            references {
                a_reference_to_nothing_is_refused,
                a_reference_names_a_record_of_its_kind,
                a_reference_may_point_into_its_own_batch,
                a_reference_to_what_the_batch_deletes_is_refused,
                what_is_referred_to_cannot_be_deleted,
                every_sort_of_reference_holds_what_it_refers_to,
                what_is_no_longer_referred_to_can_be_deleted,
                both_ends_of_a_reference_can_be_deleted_in_one_batch,
                a_reference_can_move_away_as_its_target_is_deleted,
                each_reference_of_a_set_must_lead_somewhere,
                one_of_several_references_is_enough_to_hold_a_record,
                a_record_may_refer_to_itself,
                references_may_form_a_ring,
                a_unique_reference_is_both,
            }
            rollups {
                rolled_up_counts_follow_changes,
                rolled_up_null_is_a_value_among_others,
                rolled_up_numbers_are_summed_and_averaged,
                rolled_up_totals_are_those_of_the_records,
                every_scope_is_counted_for_itself,
                several_writes_of_one_batch_are_all_counted,
                a_failed_batch_counts_for_nothing,
                a_batch_sent_again_is_counted_once,
                what_is_overwritten_is_counted_once,
                what_is_appended_is_counted,
                rolled_up_counts_hold_while_many_write,
            }
            scopes {
                another_scopes_record_is_not_got_or_found,
                another_scopes_records_are_not_tallied,
                another_scopes_record_is_not_changed,
                another_scopes_record_is_not_required,
                another_scopes_record_is_not_referred_to,
                a_unique_value_is_unique_to_its_scope,
                an_id_may_be_used_in_every_scope,
                a_reference_holds_only_in_its_scope,
                one_batch_may_write_in_several_scopes,
                another_scopes_jobs_are_not_touched,
                another_scopes_events_are_not_found,
                the_area_of_no_organisation_is_a_scope_as_any_other,
                jobs_and_events_may_belong_to_no_organisation,
            }
            search {
                records_are_found_by_their_words,
                all_terms_must_be_met,
                no_terms_are_met_by_all,
                words_are_found_by_their_beginning,
                case_and_accents_make_no_difference,
                words_of_every_script_are_found,
                signs_mean_nothing_to_a_search,
                long_texts_are_searched_to_the_end,
                new_words_replace_the_old,
                an_update_without_words_keeps_them,
                an_update_to_no_words_takes_them_away,
                a_record_without_words_is_found_by_none,
                a_deleted_record_is_not_found,
                search_combines_with_everything_else,
                search_finds_the_same_among_many,
            }
            tally {
                records_are_counted,
                a_tally_of_nothing_is_one_row_without_groups_and_none_with,
                groups_are_ordered_by_their_keys_with_null_first,
                groups_are_divided_by_several_fields,
                a_record_counts_for_each_element_of_a_set,
                numbers_are_summed_and_averaged,
                values_that_are_not_there_are_not_measured,
                the_least_and_greatest_are_those_of_the_order,
                what_records_have_built_in_is_measured,
                large_numbers_are_summed_exactly,
                tallies_follow_changes,
            }
            totals {
                a_total_is_only_told_when_asked,
                an_exact_total_counts_all_that_match,
                a_total_does_not_depend_on_the_page,
                a_bounded_total_is_exact_up_to_its_bound,
                the_total_of_nothing_is_exactly_none,
                totals_follow_changes,
            }
            uniqueness {
                a_second_record_of_a_unique_value_is_refused,
                an_update_to_a_taken_value_is_refused,
                two_records_of_one_batch_cannot_share_a_value,
                numbers_can_be_unique_too,
                null_may_repeat,
                unique_values_are_compared_to_the_letter,
                an_update_may_keep_its_own_value,
                a_value_is_free_after_its_record_is_deleted,
                a_value_is_free_after_its_record_gives_it_up,
                a_value_can_be_freed_by_a_delete_and_taken_in_one_batch,
                a_value_can_be_freed_by_an_update_and_taken_in_one_batch,
                records_can_swap_their_values,
                a_failed_batch_neither_frees_nor_takes_a_value,
            }
            writes {
                an_inserted_record_is_read_back_as_it_was_written,
                fields_without_a_value_are_null,
                an_update_replaces_the_record_and_raises_its_version,
                a_deleted_record_is_gone,
                an_update_of_a_wrong_version_is_refused_and_told_the_present_one,
                an_update_of_what_is_not_there_is_refused,
                an_insert_of_what_is_there_is_refused,
                a_delete_of_a_wrong_version_is_refused,
                a_delete_of_what_is_not_there_is_refused,
                the_id_of_a_deleted_record_can_be_used_again,
                records_of_two_kinds_may_have_one_id,
                one_batch_writes_many_records_and_answers_in_their_order,
                get_answers_each_id_in_its_place,
                get_answers_many_ids_at_once,
                a_requirement_that_holds_changes_nothing,
                a_requirement_that_does_not_hold_fails_the_batch,
                a_requirement_sees_the_state_before_the_batch,
                a_batch_without_anything_is_committed,
                times_are_kept_to_the_microsecond,
                values_of_every_size_are_kept,
                texts_are_kept_whatever_they_hold,
                what_was_read_does_not_change,
            }
            histories {
                random_histories_are_answered_as_by_the_oracle,
            }
        }
    };
    (@stamp $store:expr; $($area:ident { $($behaviour:ident,)* })*) => {
        $(
            mod $area {
                use super::*;

                $(
                    #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
                    async fn $behaviour() {
                        let store = ($store)().await;
                        $crate::storage::conformance::$area::$behaviour(&store).await;
                    }
                )*
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    use super::super::AREAS;

    #[test]
    fn no_behaviour_is_left_out() {
        let suite = include_str!("suite.rs");
        let mut missing = Vec::new();
        for (area, source) in AREAS.iter().copied().chain([("histories", include_str!("histories/mod.rs"))]) {
            let (_, stamped) = suite.split_once(&format!("{area} {{")).expect("the area is stamped out");
            let stamped = stamped.split_once('}').map_or("", |(stamped, _)| stamped);
            let behaviours =
                source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('));
            for (behaviour, _) in behaviours {
                if !stamped.lines().any(|line| line.trim().trim_end_matches(',') == behaviour) {
                    missing.push(format!("{area}::{behaviour}"));
                }
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
