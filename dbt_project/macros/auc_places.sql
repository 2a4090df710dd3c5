{#
    What an AUC and its variance are made of: a query of one row per group and account of `relation` (columns: those of
    `groups`, account_id, score, and `positive`, whether the outcome came), for groups with both outcomes. Of each
    observation its place: of a positive one the share of others with a higher score, of another the share of positive
    ones with a lower score, ties counted half; summed by account. Counted by distinct scores, so that the work grows
    with n log n. Subtracting the places of one score from those of another gives their paired difference.
#}
{% macro auc_places(relation, groups, positive='has_churned') %}
    {%- set columns = groups | join(', ') %}
    with

    scores as (

        select
            {{ columns }},
            score,
            cast(count(*) filter (where {{ positive }}) as double) as positives,
            cast(count(*) filter (where not {{ positive }}) as double) as others
        from {{ relation }}
        group by {{ columns }}, score

    ),

    ranked as (

        select
            *,
            sum(positives) over below - positives / 2 as positives_below,
            sum(others) over everything - sum(others) over below + others / 2 as others_above,
            sum(positives) over everything as all_positives,
            sum(others) over everything as all_others
        from scores
        window
            below as (
                partition by {{ columns }}
                order by score
                rows between unbounded preceding and current row
            ),
            everything as (
                partition by {{ columns }}
            )

    ),

    placed as (

        select
            {{ columns }},
            score,
            all_positives,
            all_others,
            others_above / all_others as positive_place,
            positives_below / all_positives as other_place
        from ranked
        where
            all_positives > 0
            and all_others > 0

    )

    select
        {{ columns }},
        account_id,
        cast(count(*) filter (where {{ positive }}) as double) as positives,
        cast(count(*) filter (where not {{ positive }}) as double) as others,
        coalesce(sum(positive_place) filter (where {{ positive }}), 0) as positive_places,
        coalesce(sum(other_place) filter (where not {{ positive }}), 0) as other_places,
        max(all_positives) as all_positives,
        max(all_others) as all_others
    from {{ relation }}
    inner join placed using ({{ columns }}, score)
    group by {{ columns }}, account_id
{% endmacro %}
